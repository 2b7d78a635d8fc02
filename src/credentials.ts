import type { Deployment, Keys } from './protocol/ports.js'
import { Secret } from './protocol/secret.js'

/** Reads one environment variable. */
export type Env = (name: string) => string | undefined

/** The credential of a deployment, nothing where it needs none, or what to do about a missing one. A key of the environment is read anew each time. */
export function credentialOf({ reach }: Deployment, env: Env): { readonly keys: Keys | undefined } | { readonly reason: string } {
  if ('upstream' in reach) return { keys: undefined }
  const keys = reach.keys ?? fromEnvironment(reach.env, env)
  if (keys !== undefined || reach.keyless) return { keys }
  const give = reach.env === undefined ? 'give apiKey: a key from the environment is not sent to another host' : `set ${reach.env.join(' or ')}, or give apiKey`
  return { reason: `no_credential: ${give}` }
}

function fromEnvironment(names: readonly string[] | undefined, env: Env): readonly Secret[] | undefined {
  for (const name of names ?? []) {
    const value = env(name)?.trim()
    if (value !== undefined && value !== '') return [new Secret(value)]
  }
  return undefined
}
