import type { Warning } from './events.js'
import type { Headers } from './ports.js'

const OURS = /^(?:authorization|proxy-authorization|cookie|host|content-type|content-length|content-encoding|transfer-encoding|connection|upgrade|expect|te|trailer|.*api-key)$/

/** The headers of a caller that may go along with a request, and a warning for each that may not. */
export function siftHeaders(headers: Headers): { kept: Headers; refused: Warning[] } {
  const kept: Record<string, string> = Object.create(null) as Record<string, string>
  const refused: Warning[] = []
  for (const name of Object.keys(headers)) {
    const key = name.toLowerCase()
    const value = headers[name]
    if (value === undefined) continue
    if (OURS.test(key)) refused.push({ code: 'dropped', message: 'This header is set by the library; the one given was not sent.', parameter: `headers.${key.slice(0, 80)}` })
    else kept[key] = value
  }
  return { kept, refused }
}
