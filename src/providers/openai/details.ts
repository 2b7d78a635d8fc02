import { isObject, stringAt, type Json } from '../../protocol/json.js'

type Detail = Record<string, unknown>

/** The text a list of `reasoning_details` holds. */
export function textOf(details: readonly unknown[]): string {
  return details.map(detail => stringAt(detail, 'text') ?? stringAt(detail, 'summary') ?? '').join('')
}

/** Puts streamed `reasoning_details` together again, so that they can be sent back as one list. */
export class ReasoningDetails {
  #list: Detail[] = []

  get empty(): boolean {
    return this.#list.length === 0
  }

  /** @param whole the entries are complete (a JSON body), so none goes on from another. */
  add(details: readonly unknown[], whole: boolean): void {
    for (const detail of details) {
      if (!isObject(detail)) continue
      const last = whole ? undefined : this.#list.findLast(entry => entry['type'] === detail['type'] && entry['index'] === detail['index'])
      if (last === undefined || (typeof last['data'] === 'string' && typeof detail['data'] === 'string')) this.#list.push({ ...detail })
      else join(last, detail)
    }
  }

  take(): Json {
    const list = this.#list
    this.#list = []
    return list as Json
  }
}

function join(into: Detail, more: Detail): void {
  for (const [key, value] of Object.entries(more)) {
    const before = into[key]
    if ((key === 'text' || key === 'summary') && typeof before === 'string' && typeof value === 'string') into[key] = before + value
    else if (value !== null && value !== undefined) into[key] = value
  }
}
