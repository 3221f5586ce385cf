/** What a message cannot be composed for, in the fields of nodemailer. It knows the errors of mime, and those of the system. */
import { type NodemailerError, problem } from './error.ts';

/** What composing has failed with: an address, a field, a content; a file that is not there. */
export function composerError(cause: unknown): NodemailerError {
  const { delivery, code, message, name, ...fields }: Partial<NodemailerError> = Object(cause);
  // What was made here says it already.
  if (delivery) return cause as NodemailerError;
  const found = code === 'ERR_MIME_ADDRESS' ? 'EENVELOPE' : 'EMESSAGE';
  return problem(
    /^E[A-Z]+$/.test(`${code}`) ? 'ESTREAM' : found,
    `Cannot send the message: ${message}`,
    { ...fields, ...(code && { originalCode: code }), cause },
  );
}
