import { createHash, createHmac } from 'node:crypto'
import type { Arrived } from './server.js'

/** What a request must have been signed with. */
export interface Signer {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  readonly service: string
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

// Of a path that is encoded already: each segment once more.
function canonicalPath(path: string): string {
  return path.split('/').map(segment => encodeURIComponent(segment).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)).join('/')
}

/** What is wrong with the version 4 signature of a request, worked out anew. @param prefix what the server took off the path. */
export function wrongSignature({ method, path, headers, body }: Arrived, prefix: string, { accessKeyId, secretAccessKey, region, service }: Signer): string[] {
  const found = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(headers['authorization'] ?? '')
  if (found === null) return ['request: it is not signed']
  const [, credential, names = '', signature] = found
  const time = headers['x-amz-date'] ?? ''
  const day = time.slice(0, 8)
  const scope = `${day}/${region}/${service}/aws4_request`
  if (names !== 'host;x-amz-content-sha256;x-amz-date') return [`request: ${names} are signed`]
  if (credential !== `${accessKeyId}/${scope}`) return ['request: the scope of the signature is wrong']
  if (!/^\d{8}T\d{6}Z$/.test(time)) return ['request: x-amz-date is no time']
  if (headers['x-amz-content-sha256'] !== hash(body)) return ['request: x-amz-content-sha256 is not the hash of the body']
  const canonical = [method, canonicalPath(prefix + path), '', ...names.split(';').map(name => `${name}:${headers[name] ?? ''}`), '', names, hash(body)].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>((derived, part) => hmac(derived, part), `AWS4${secretAccessKey}`)
  const right = hmac(key, ['AWS4-HMAC-SHA256', time, scope, hash(canonical)].join('\n')).toString('hex')
  return signature === right ? [] : ['request: the signature is wrong']
}
