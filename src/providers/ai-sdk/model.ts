import { isObject, parseJson, type Json } from '../../protocol/json.js'

export const DIALECT = 'ai-sdk'

/** The specifications that are spoken here. */
export type Version = 2 | 3 | 4

/**
 * A language model of the AI SDK: what `openai('...')`, `anthropic('...')` and the like of `@ai-sdk/*` packages give, of
 * specification v2 (AI SDK 5), v3 (6) or v4 (7). Only its shape counts: no package is imported.
 */
export interface AiSdkModel {
  readonly specificationVersion: 'v2' | 'v3' | 'v4'
  readonly provider: string
  readonly modelId: string
  readonly supportedUrls?: unknown
  doGenerate(options: never): PromiseLike<unknown>
  doStream(options: never): PromiseLike<unknown>
}

/** A value of the SDK, whose types are not here. */
export type Fields = Record<string, unknown>

/** The options of the provider's own, by the provider's key: what the SDK calls `providerOptions` on the way in. */
export type VendorOptions = Record<string, Fields>

/** What one request is written for. */
export interface Spoken {
  readonly version: Version
  readonly provider: string
  readonly model: string
}

export function versionOf(specificationVersion: unknown): Version | undefined {
  return specificationVersion === 'v2' ? 2 : specificationVersion === 'v3' ? 3 : specificationVersion === 'v4' ? 4 : undefined
}

/** Both, field by field; the later one wins. */
export function mergeVendors(...all: readonly unknown[]): VendorOptions {
  const merged = new Map<string, Fields>()
  for (const options of all) {
    if (!isObject(options)) continue
    for (const [key, fields] of Object.entries(options)) if (isObject(fields)) merged.set(key, { ...merged.get(key), ...fields })
  }
  return Object.fromEntries(merged)
}

/** The value as plain JSON, or nothing where it is none or nested too deep. */
export function jsonOf(value: unknown): Json | undefined {
  if (value === undefined) return undefined
  try {
    const text = JSON.stringify(value) as string | undefined
    return text === undefined ? undefined : (parseJson(text) as Json)
  } catch {
    return undefined
  }
}
