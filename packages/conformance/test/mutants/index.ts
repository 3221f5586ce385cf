/** The table of mutants, and what fails them. */
import { GREETING } from './greeting.ts';
import type { Mutant } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = [...GREETING];
