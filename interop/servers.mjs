/** The servers that there are. */
import { exim } from './exim.mjs';
import { postfix } from './postfix.mjs';

export const servers = [postfix, exim];
