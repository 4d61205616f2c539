import type { Adapter } from '@tenant-lint/model';
import { lower } from './lower.js';

/** supabase-js and PostgREST's own client: requests to an HTTP interface that answers with the rights of whoever asks. */
export const supabase: Adapter = {
  id: 'supabase',
  title: 'supabase-js',
  packages: ['@supabase/', '@nuxtjs/supabase'],
  vocabulary:
    /@supabase\/|#supabase\/|[sS]upabase|\.from\s*(?:<[^>]*>)?\s*\(\s*['"`][\w.]+['"`]\s*\)\s*\.\s*(?:select|insert|upsert|update|delete)\s*\(/,
  lower,
};
