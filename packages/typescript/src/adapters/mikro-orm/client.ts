import { receivers } from '../entities/receivers.js';
import { isMikro, modelName } from './names.js';

export const { receiverAt, tableOfEntity } = receivers({
  isOurs: isMikro,
  modelName,
  kinds: {
    MikroORM: 'source',
    EntityManager: 'manager',
    SqlEntityManager: 'manager',
    EntityRepository: 'repository',
    SqlEntityRepository: 'repository',
  },
  transactions: new Set(['transactional']),
  made: {},
  properties: { em: 'manager', entityManager: 'manager' },
  calls: {
    fork: 'same',
    getContext: 'same',
    getRepository: 'repository',
    getEntityManager: 'manager',
    init: 'source',
    initSync: 'source',
  },
});
