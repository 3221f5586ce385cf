/** What waits, in the order of its numbers. */
export interface Queue<T> {
  readonly size: number;
  /** Adds what is new, which has the highest number, or puts back what was taken, which has one of the lowest. */
  put(item: T): void;
  /** Takes the first. */
  take(): T | undefined;
  /** Takes one from wherever it is; false where it is not here. */
  remove(item: T): boolean;
  /** Keeps those of which `keep` says so, asked from the first to the last. */
  sift(keep: (item: T) => boolean): void;
}

/** An empty queue. Two stacks: whatever its length, its ends are never far. */
export function createQueue<T extends { readonly id: number }>(): Queue<T> {
  /** The first ones, the very first one on top. All of `back` come behind. */
  let front: T[] = [];
  let back: T[] = [];
  let highest = 0;
  return {
    get size() {
      return front.length + back.length;
    },
    put(item) {
      if (item.id > highest) {
        highest = item.id;
        back.push(item);
      } else {
        const at = front.findLastIndex(({ id }) => id > item.id) + 1;
        front.splice(at, 0, item);
      }
    },
    take() {
      if (!front[0]) [front, back] = [back.reverse(), []];
      return front.pop();
    },
    remove: (item) =>
      [front, back].some((stack) => {
        const at = stack.indexOf(item);
        return at >= 0 && stack.splice(at, 1);
      }),
    sift(keep) {
      front = [...front.reverse(), ...back].filter(keep).reverse();
      back = [];
    },
  };
}
