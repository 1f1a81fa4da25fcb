/** First in, first out, never longer than `capacity`: what does not fit is refused and counted. */
export class BoundedQueue<T> {
  readonly capacity: number;
  #items: T[] = [];
  #head = 0;
  #dropped = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** How many were refused since the queue was made. */
  get dropped(): number {
    return this.#dropped;
  }

  /** False when the queue was full: the item is not kept. */
  push(item: T): boolean {
    if (this.length >= this.capacity) {
      this.#dropped++;
      return false;
    }
    this.#items.push(item);
    return true;
  }

  shift(): T | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head] as T;
    this.#items[this.#head++] = undefined as T;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
