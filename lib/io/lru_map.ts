/** A map whose entries stand in the order of their last use. Beyond `most` of them the least recently used is dropped. */
export class LruMap<K, V> extends Map<K, V> {
  readonly #most: number;
  readonly #onDrop: (value: V) => void;

  /** @param onDrop is called with a value that gave way to another; not with one that was deleted or replaced. */
  constructor(most: number = Infinity, onDrop: (value: V) => void = () => {}) {
    super();
    this.#most = most;
    this.#onDrop = onDrop;
  }

  /** Returns a value, whose last use is now; `get` leaves it in its place. */
  use(key: K): V | undefined {
    const value = this.get(key);
    if (value !== undefined) this.set(key, value);
    return value;
  }

  override set(key: K, value: V): this {
    this.delete(key);
    super.set(key, value);
    if (this.size <= this.#most) return this;
    const [oldest] = this;
    if (oldest !== undefined) {
      this.delete(oldest[0]);
      this.#onDrop(oldest[1]);
    }
    return this;
  }
}
