import { GatewayError } from '../../protocol/errors.js'
import { isObject } from '../../protocol/json.js'

/** Anything that gives access tokens, such as `GoogleAuth` of google-auth-library or one of its clients. */
export interface TokenSource {
  getAccessToken(): Promise<string | null | undefined | { readonly token?: string | null | undefined }>
}

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
// In a variable, for it is looked up where the program runs: nobody who gives `auth` needs it.
const LIBRARY = 'google-auth-library'

function rejected(message: string): GatewayError {
  return new GatewayError('credential_rejected', message, { origin: 'caller' })
}

/** A token at each try; the source keeps it as long as it is good. */
export async function tokenOf(source: TokenSource): Promise<string> {
  let found: unknown
  try {
    found = await source.getAccessToken()
  } catch {
    throw rejected('vertex(): getAccessToken() failed. Check the Google credentials of this machine, or give auth.')
  }
  const token = isObject(found) ? found['token'] : found
  if (typeof token !== 'string' || token.trim() === '') throw rejected('vertex(): getAccessToken() gave no token. Check the Google credentials of this machine, or give auth.')
  return token
}

type Constructor = new (options: { readonly scopes: readonly string[] }) => TokenSource
/** Loads the optional library. */
export type LoadLibrary = () => Promise<unknown>

const loadLibrary: LoadLibrary = () => import(/* webpackIgnore: true */ /* @vite-ignore */ LIBRARY)

async function sourceFrom(load: LoadLibrary): Promise<TokenSource> {
  let library: unknown
  try {
    library = await load()
  } catch {
    throw rejected('vertex() needs an access token. Run: npm install google-auth-library, or give auth: () => token, or apiKey for express mode.')
  }
  const GoogleAuth = isObject(library) ? (library['GoogleAuth'] as Constructor | undefined) : undefined
  if (typeof GoogleAuth !== 'function') throw rejected('vertex(): the google-auth-library that is installed has no GoogleAuth. Install version 9 or newer, or give auth.')
  return new GoogleAuth({ scopes: [SCOPE] })
}

/** Tokens of the credentials this machine has (application default credentials). A failure to load is tried anew. */
export function machineTokens(load: LoadLibrary = loadLibrary): () => Promise<string> {
  let source: Promise<TokenSource> | undefined
  return async () => {
    source ??= sourceFrom(load)
    try {
      return await tokenOf(await source)
    } catch (error) {
      source = undefined
      throw error
    }
  }
}
