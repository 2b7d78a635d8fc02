/** About how many characters a value holds; stops counting past `limit`. */
export function weigh(value: unknown, limit: number): number {
  let chars = 0
  const open = [value]
  while (open.length > 0 && chars <= limit) {
    const next = open.pop()
    if (typeof next === 'string') chars += next.length
    else if (ArrayBuffer.isView(next)) chars += next.byteLength
    else if (typeof next === 'object' && next !== null) {
      chars += 8
      for (const inner of Object.values(next)) open.push(inner)
    }
  }
  return chars
}
