import { defineRule } from '@tenant-lint/engine';
import { isTenantSetting, tenantSettings } from '../../lib/setting.js';

export default defineRule({
  meta: {
    id: 'no-default-tenant-setting',
    group: 'setting',
    summary: 'Disallow a tenant as the default of a role or of the database',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['S07'],
    messages: {
      default: {
        what: '{setting} is {value} by default for {of}.',
        why: 'Every session that forgets to set its tenant works as that one, instead of finding no rows.',
        fix: 'Remove the default, and set the tenant in each transaction.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const settings = tenantSettings(model);
    for (const { name, value, scope, of, span } of model.schema.settings) {
      if (value.trim() === '' || !isTenantSetting(model, settings, name)) continue;
      yield {
        message: 'default',
        data: { setting: name, value, of: scope === 'role' ? `role ${of ?? 'of all'}` : `database ${of ?? ''}`.trim() },
        span,
        confidence: 'certain',
        key: `${name} ${scope} ${of ?? ''}`,
      };
    }
  },
});
