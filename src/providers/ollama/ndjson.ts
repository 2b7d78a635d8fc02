import type { Framing } from '../../protocol/ports.js'
import { malformed } from '../common/parse.js'

/** Characters of one line, at the most. */
const MOST_CHARS = 4 * 1024 * 1024

/** One JSON value a line; blank lines say nothing. Throws `malformed_response` for a line of more than 4 Mi characters. */
export const ndjson: Framing = onFrame => {
  // Takes a byte-order mark off the start, and keeps a character that is cut.
  const decoder = new TextDecoder()
  let pieces: string[] = []
  let held = 0
  const hold = (piece: string) => {
    held += piece.length
    if (held > MOST_CHARS) throw malformed('The stream has a line that is longer than what is read.')
    if (piece !== '') pieces.push(piece)
  }
  const emit = () => {
    const data = pieces.join('').trim()
    pieces = []
    held = 0
    if (data !== '') onFrame({ data })
  }
  const feed = (text: string) => {
    let from = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      hold(text.slice(from, end))
      emit()
      from = end + 1
    }
    hold(text.slice(from))
  }
  return {
    push: chunk => feed(decoder.decode(chunk, { stream: true })),
    end: () => {
      feed(decoder.decode())
      // A last line without its end is whole all the same.
      emit()
    },
  }
}
