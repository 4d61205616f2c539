let times = 0;

/** Notes that the stack, or the memory of the parser, did not suffice for some text. */
export function noteExhausted(): void {
  times++;
}

/** How often that happened in this thread. How much there is of either differs between threads: what grew it has to be made by the main one. */
export const timesExhausted = (): number => times;
