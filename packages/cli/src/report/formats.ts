import type { Finding } from '@tenant-lint/model';
import type { Report } from '@tenant-lint/engine';
import type { Format } from '../options.js';
import { agentReport } from './agent.js';
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
    case 'agent':
      return agentReport(report, options.quiet);
  }
}
