import { isObject, type Json } from '../../protocol/json.js'
import type { ProviderData } from '../../protocol/request.js'

/** A JSON object of the wire while it is being written. */
export type Block = { [key: string]: Json | undefined }

/** What a part holds for this dialect: what its decoder left there, or what the caller wrote. */
export function own(data: ProviderData | undefined, dialect: string): Record<string, unknown> | undefined {
  const found = data?.[dialect]
  return isObject(found) ? found : undefined
}

/** The block a part asks to have sent as it stands: to the dialect, or else to the provider. */
export function verbatim(data: ProviderData | undefined, dialect: string, provider?: string): Block | undefined {
  if (data === undefined) return undefined
  const block = own(data, dialect)?.['block'] ?? (provider === undefined ? undefined : own(data, provider)?.['block'])
  return isObject(block) ? (block as Block) : undefined
}
