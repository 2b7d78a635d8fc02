/** Above every byte of a text: what begins with a prefix is below `prefix` and this. */
const BEYOND = 0xff

/**
 * A text as bytes whose order is that of JavaScript's strings, and of which none is lost: each UTF-16 unit by itself in the manner of
 * UTF-8. SQLite's own text is in another order above U+FFFF, and has no lone surrogates.
 */
export function bytesOf(text: string): Uint8Array {
  let size = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit >= 0x80) size += unit < 0x800 ? 1 : 2
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes[at++] = unit
    else {
      if (unit < 0x800) bytes[at++] = 0xc0 | (unit >> 6)
      else {
        bytes[at++] = 0xe0 | (unit >> 12)
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f)
      }
      bytes[at++] = 0x80 | (unit & 0x3f)
    }
  }
  return bytes
}

/** The text that `bytesOf` made these bytes of. */
export function textOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte < 0x80) text += String.fromCharCode(byte)
    else if (byte < 0xe0) text += String.fromCharCode(((byte & 0x1f) << 6) | ((bytes[++at] ?? 0) & 0x3f))
    else text += String.fromCharCode(((byte & 0x0f) << 12) | (((bytes[++at] ?? 0) & 0x3f) << 6) | ((bytes[++at] ?? 0) & 0x3f))
  }
  return text
}

/** The least bytes above all that begin with `prefix`. */
export function beyond(prefix: string): Uint8Array {
  const bytes = bytesOf(prefix)
  const above = new Uint8Array(bytes.length + 1)
  above.set(bytes)
  above[bytes.length] = BEYOND
  return above
}
