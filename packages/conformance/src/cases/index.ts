/** The whole catalogue, in its order. */
import type { Case, Group } from '../case.ts';
import { GREETING } from './greeting.ts';

/** The groups of the catalogue, in their order. */
export const groups: readonly Group[] = [GREETING];

/** Every case of the catalogue, in its order. */
export const cases: readonly Case[] = groups.flatMap((group) => group.cases);
