import { GatewayError } from '../../protocol/errors.js'
import { isObject, stringAt } from '../../protocol/json.js'
import type { Adapter, Deployment, EnvReader } from '../../protocol/ports.js'
import { capabilitiesOf } from '../anthropic/capabilities.js'
import { defineDeployment, type DeploymentOptions } from '../define.js'
import type { AwsCredentials } from './sign.js'

export type { AwsCredentials }

/** What {@link bedrock} takes beside what every deployment takes. */
export interface BedrockOptions extends DeploymentOptions {
  /** The AWS region that is asked, such as `eu-central-1`. Default: the one in the ARN, where the model is an ARN. */
  readonly region?: string
  /** A key pair that requests are signed with, or a function that gives one, asked at each try: a credential provider of AWS is one. Not beside `apiKey`, which is a Bedrock API key. */
  readonly credentials?: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>)
}

const MODEL = /^[a-zA-Z0-9][\w.:/-]{0,2047}$/
const REGION = /^[a-z]{2,5}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/
const ARN = /^arn:[a-z0-9-]{1,40}:bedrock:([a-z0-9-]{1,60}):/

const KEY_PAIR: EnvReader = {
  hint: 'AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY',
  read: env => {
    const [accessKeyId, secretAccessKey, sessionToken] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'].map(name => env(name)?.trim() ?? '')
    return accessKeyId === '' || secretAccessKey === '' ? undefined : JSON.stringify({ accessKeyId, secretAccessKey, ...(sessionToken !== '' && { sessionToken }) })
  },
}

function bad(message: string): GatewayError {
  return new GatewayError('invalid_config', `bedrock(): ${message}`)
}

/** The text a key pair travels as. What else a credential provider tells, such as when it expires, is left behind. */
function textOf(given: unknown): string {
  const [accessKeyId, secretAccessKey, sessionToken] = ['accessKeyId', 'secretAccessKey', 'sessionToken'].map(key => stringAt(given, key)?.trim())
  if (accessKeyId === undefined || secretAccessKey === undefined) throw bad('credentials must be { accessKeyId, secretAccessKey }, with the sessionToken of temporary ones, or a function that gives them. An empty one is likely a missing environment variable.')
  if (/[\r\n\0]/.test(accessKeyId + secretAccessKey + (sessionToken ?? ''))) throw bad('credentials hold a line break. Trim them where they are read.')
  return JSON.stringify({ accessKeyId, secretAccessKey, sessionToken })
}

function keyOf({ apiKey, credentials }: BedrockOptions): Pick<DeploymentOptions, 'apiKey'> {
  if (credentials === undefined) return apiKey === undefined ? {} : { apiKey }
  if (apiKey !== undefined) throw bad('give credentials or apiKey, not both.')
  return { apiKey: typeof credentials === 'function' ? async () => textOf(await credentials()) : textOf(credentials) }
}

function regionOf(model: string, region: unknown): string {
  const found = region ?? ARN.exec(model)?.[1]
  if (found === undefined) throw bad("region is missing. Give the AWS region, such as { region: 'us-east-1' } or { region: process.env.AWS_REGION }.")
  if (typeof found !== 'string' || !REGION.test(found)) throw bad("region must be the name of an AWS region, such as 'us-east-1'.")
  return found
}

function hostOf(region: string): string {
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : region.startsWith('eusc-') ? 'amazonaws.eu' : 'amazonaws.com'
  return `https://bedrock-runtime.${region}.${domain}`
}

/**
 * A deployment of a model on Amazon Bedrock, over its Converse API. The model is an id, the id of an inference profile, or an
 * ARN. Requests go with the API key of `apiKey` or AWS_BEARER_TOKEN_BEDROCK, else they are signed with the key pair of
 * `credentials` or of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. Throws `invalid_config`.
 *
 * @example
 * import { Gateway } from 'sallyport'
 * import { bedrock } from 'sallyport/bedrock'
 *
 * const gateway = new Gateway({ routes: { smart: bedrock('eu.anthropic.claude-sonnet-4-5-20250929-v1:0', { region: 'eu-central-1' }) } })
 */
export function bedrock(model: string, options: BedrockOptions = {}): Deployment {
  if (typeof model !== 'string' || !MODEL.test(model)) throw bad("the model comes first: an id such as 'amazon.nova-pro-v1:0', an inference profile, or an ARN.")
  if (!isObject(options as unknown)) throw bad('the options must be an object.')
  const { credentials: _, apiKey: __, ...rest } = options
  const region = regionOf(model, options.region)
  const known = capabilitiesOf(model)
  const capabilities = rest.capabilities === undefined ? known : isObject(rest.capabilities) ? { ...known, ...rest.capabilities } : rest.capabilities
  // Loaded with the first call, as every adapter is.
  const adapter = async (): Promise<Adapter> => (await import('./adapter.js')).bedrockAdapter(region)
  return defineDeployment({ name: 'amazon-bedrock', adapter, baseUrl: hostOf(region), env: ['AWS_BEARER_TOKEN_BEDROCK', KEY_PAIR] }, model, { ...rest, ...keyOf(options), region, capabilities })
}
