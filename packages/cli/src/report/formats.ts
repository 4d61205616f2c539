import type { Finding } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import type { Format } from '../options.js';
import { agentReport } from './agent.js';
import type { Model } from '@tenant-lint/analysis';
import { htmlReport } from './html/page.js';
import { projectMap } from './html/map.js';
import { githubReport } from './github.js';
import { gitlabReport } from './gitlab.js';
import { jsonReport } from './json.js';
import { junitReport } from './junit.js';
import { markdownReport } from './markdown.js';
import { sarifReport } from './sarif.js';
import { textReport, type TextOptions } from './text.js';

export interface RenderOptions extends TextOptions {
  /** Whether a finding makes the run fail. */
  readonly fails: (finding: Finding) => boolean;
  /** What the report was made of, for the map of the project; shards that are merged have none. */
  readonly model?: Model | undefined;
}

/** A report as text of one format; equal reports give equal bytes. json and sarif are whole whatever the options say. */
export function rendered(format: Format, report: Report, options: RenderOptions): string {
  switch (format) {
    case 'text':
      return textReport(report, options);
    case 'json':
      return jsonReport(report);
    case 'sarif':
      return sarifReport(report);
    case 'github':
      return githubReport(report, options.quiet);
    case 'gitlab':
      return gitlabReport(report, options.quiet);
    case 'junit':
      return junitReport(report, options);
    case 'markdown':
      return markdownReport(report, options.quiet);
    case 'html':
      return htmlReport(report, options.textOf, options.model && projectMap(options.model, report));
    case 'agent':
      return agentReport(report, options.quiet);
  }
}
