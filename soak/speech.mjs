/** How a server speaks on one connection, and how it does not: the faults of faults.mjs, performed. Knows no command. */
import { faultsAt } from './faults.mjs';

/** ms for which `slow` waits, and `late`: longer than clients with short deadlines do. */
const SLOW = 8;
const LATE = 900;

export class Speech {
  /** The socket that is spoken on: under TLS another one. */
  socket;
  secure = false;
  /** It says nothing more, and hears nothing. */
  over = false;
  /** What was read waits until something was said. */
  waits = false;
  /** What is answered to the next lines, whatever they are. */
  challenges = [];
  #server;
  #character;
  #random;
  #goOn;

  /** @param goOn - is called when it waits no more */
  constructor(socket, { server, character, random, goOn }) {
    this.socket = socket;
    this.#server = server;
    this.#character = character;
    this.#random = random;
    this.#goOn = goOn;
  }

  /** What goes wrong here, or undefined. */
  draw(stage) {
    const { next, pick } = this.#random;
    if (next() >= this.#character.rate) return undefined;
    const kind = pick(faultsAt(stage, this.#character.stalls));
    this.#server.fault(`${stage}: ${kind}`);
    return kind;
  }

  /** Says it, or does what goes wrong in place of that; whether it is said, sooner or later, and is no refusal. */
  answer(stage, ...lines) {
    const drawn = this.draw(stage);
    // What is right is no fault.
    const fault = lines[0].startsWith(drawn) ? undefined : drawn;
    this.perform(fault, lines);
    return (!fault || /^(drip|slow|late)$/.test(fault)) && /^[23]/.test(lines[0]);
  }

  /**
   * The reply, as it should be where there is no fault.
   *
   * @param owed - how many replies the client waits for (RFC 2033 §4.2)
   */
  perform(fault, lines = [], owed = 1) {
    if (!fault) this.say(...lines);
    else if (fault === 'RST') this.leave(true);
    else if (fault === 'FIN') this.leave(false);
    else if (fault === 'stall') this.over = true;
    else if (fault === 'slow') this.#wait(SLOW, lines);
    else if (fault === 'late') this.#wait(LATE, lines);
    else if (fault === 'drip') this.#drip(lines);
    else if (fault === 'garbage') this.#cut(`\x00\xffno reply${lines[0] ?? ''}\n`);
    else if (fault === 'cut') this.#cut(`${lines.join('\r\n')}\r\n`.slice(0, -3));
    else if (fault === '421') this.end('421 4.3.2 shutting down');
    else if (fault === '334') {
      // RFC 4954 §4: the client has nothing more to say, and cancels.
      this.challenges = ['501 5.5.2 cancelled'];
      this.say('334 ');
    } else {
      const text = `${fault} ${/^[245]/.test(fault) ? `${fault[0]}.0.0 ` : ''}no`;
      this.say(...Array(owed).fill(text));
    }
  }

  /** Reads nothing for a while. */
  pause() {
    this.socket.pause();
    this.#later(SLOW, () => this.socket.resume());
  }

  say(...lines) {
    if (this.over || this.socket.destroyed) return;
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
  }

  /** Says it, and closes. */
  end(...lines) {
    this.#cut(lines.map((line) => `${line}\r\n`).join(''));
  }

  leave(reset) {
    this.over = true;
    if (!reset) this.socket.end();
    else if (this.secure) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  /** What was read and what comes waits meanwhile: replies stay in their order. */
  #wait(ms, lines) {
    this.waits = true;
    this.#later(ms, () => {
      this.say(...lines);
      this.waits = false;
      this.#goOn();
    });
  }

  #drip(lines) {
    for (const octet of Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1'))
      if (!this.over && !this.socket.destroyed) this.socket.write(Buffer.of(octet));
  }

  #cut(text) {
    this.over = true;
    this.socket.end(Buffer.from(text, 'latin1'));
  }

  #later(ms, then) {
    this.#server.later(ms, () => {
      if (!this.socket.destroyed) then();
    });
  }
}
