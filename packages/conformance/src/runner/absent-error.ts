/** There is no such client here. The message says why. */
export class AbsentError extends Error {
  override readonly name: string = 'AbsentError';
}
