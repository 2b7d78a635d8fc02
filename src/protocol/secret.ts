const values = new WeakMap<Secret, string>()

/** A credential. It prints as `[secret]` everywhere; only `reveal()` gives the text. */
export class Secret {
  constructor(value: string) {
    values.set(this, value)
  }
  /** The text itself: for the header it was made for, and nothing else. */
  reveal(): string {
    return values.get(this) ?? ''
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}
