/**
 * A 53-bit hash of a text: a whole number from 0 to 2^53 - 1, the same in every process. It spreads keys evenly; it keeps no secret.
 *
 * @example
 * const share = (hash53('user-17') + 0.5) / 2 ** 53
 */
export function hash53(text: string): number {
  let a = 0x243f6a88
  let b = 0x13198a2e
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    a = Math.imul(((a << 5) | (a >>> 27)) ^ unit, 0x9e3779b1)
    b = Math.imul(((b << 13) | (b >>> 19)) + unit, 0x85ebca6b)
  }
  a = mixed(a ^ text.length)
  b = mixed(b ^ a)
  return (mixed(a + b) & 0x1fffff) * 0x1_0000_0000 + (b >>> 0)
}

/** Each bit of the input turns about half the bits of the output. */
function mixed(bits: number): number {
  const once = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad)
  const twice = Math.imul(once ^ (once >>> 15), 0x735a2d97)
  return twice ^ (twice >>> 15)
}
