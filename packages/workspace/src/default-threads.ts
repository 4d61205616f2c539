import { availableParallelism } from 'node:os';

/** Beyond four, reading the facts of the others takes the main thread longer than making them itself would. */
const mostThreads = 4;

/** How many threads extract where nobody says: the calling one included. */
export const defaultThreads = (): number => Math.min(availableParallelism(), mostThreads);
