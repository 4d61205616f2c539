/** An expected failure: the tool could not do its job. Hosts print what, where and what to do, without a stack, and end with 2. */
export class Failure extends Error {
  readonly where: string | undefined;
  readonly advice: string | undefined;

  constructor(what: string, options: { where?: string; advice?: string; cause?: unknown } = {}) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.where = options.where;
    this.advice = options.advice;
  }
}
