import { receivers } from '../entities/receivers.js';
import { isTypeorm, modelName } from './names.js';

export type { Receiver } from '../entities/receivers.js';

export const { receiverOf, receiverAt, tableOfEntity } = receivers({
  isOurs: (module) => isTypeorm(module) || module === '@nestjs/typeorm',
  modelName,
  kinds: {
    DataSource: 'source',
    Connection: 'source',
    EntityManager: 'manager',
    SqljsEntityManager: 'manager',
    QueryRunner: 'runner',
    Repository: 'repository',
    TreeRepository: 'repository',
    AbstractRepository: 'repository',
  },
  activeRecord: 'BaseEntity',
  transactions: new Set(['transaction']),
  made: {
    getRepository: 'repository',
    getCustomRepository: 'repository',
    getTreeRepository: 'repository',
    getManager: 'manager',
    getConnection: 'source',
    createConnection: 'source',
  },
  properties: { manager: 'manager', connection: 'source', dataSource: 'source', queryRunner: 'runner' },
  calls: {
    getRepository: 'repository',
    getTreeRepository: 'repository',
    getCustomRepository: 'repository',
    withRepository: 'given',
    extend: 'same',
    initialize: 'same',
    connect: 'same',
    createQueryRunner: 'runner',
    createEntityManager: 'manager',
  },
});
