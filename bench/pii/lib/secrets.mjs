import { BASE62, BASE64URL, DIGITS, HEX, LOWER, Random, UPPER } from './random.mjs'

const BASE32 = `${UPPER}234567`
const BASE64 = `${BASE62}+/`

const base64url = value => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = r => `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ sub: r.chars(DIGITS, 10), iat: 1_700_000_000 + r.below(90_000_000) })}.${r.chars(BASE64URL, 43)}`
const pem = kind => r => `-----BEGIN ${kind}PRIVATE KEY-----\n${Array.from({ length: 6 }, () => r.chars(BASE64, 64)).join('\n')}\n${r.chars(BASE64, 43)}=\n-----END ${kind}PRIVATE KEY-----`
// Whoever hides the password alone hides enough.
const login = scheme => r => [`${scheme}://${r.pick(['app', 'svc', 'root', 'worker'])}:`, r.chars(BASE62, 14), `@db-${r.chars(LOWER, 6)}.internal:5432/main`]

/** Shapes that their vendors publish; whoever reads one knows it by its own looks. */
const TELLING = {
  'aws key id': r => `${r.pick(['AKIA', 'ASIA'])}${r.chars(BASE32, 16)}`,
  'github token': r => `${r.pick(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'])}${r.chars(BASE62, 36)}`,
  'github fine-grained': r => `github_pat_${r.chars(BASE62, 22)}_${r.chars(BASE62, 59)}`,
  'gitlab token': r => `glpat-${r.chars(BASE64URL, 20)}`,
  'slack bot': r => `xoxb-${r.chars(DIGITS, 12)}-${r.chars(DIGITS, 12)}-${r.chars(BASE62, 24)}`,
  'slack user': r => `xoxp-${r.chars(DIGITS, 12)}-${r.chars(DIGITS, 12)}-${r.chars(DIGITS, 12)}-${r.chars(HEX, 32)}`,
  'slack webhook': r => [`https://hooks.slack.com/services/T${r.chars(DIGITS + UPPER, 8)}/B${r.chars(DIGITS + UPPER, 10)}/`, r.chars(BASE62, 24), ''],
  'openai key': r => `sk-proj-${r.chars(BASE64URL, 74)}T3BlbkFJ${r.chars(BASE64URL, 74)}`,
  'openai key, old': r => `sk-${r.chars(BASE62, 20)}T3BlbkFJ${r.chars(BASE62, 20)}`,
  'anthropic key': r => `sk-ant-api03-${r.chars(BASE64URL, 93)}AA`,
  'google api key': r => `AIza${r.chars(BASE64URL, 35)}`,
  'google oauth': r => `GOCSPX-${r.chars(BASE64URL, 28)}`,
  'google access': r => `ya29.${r.chars(BASE64URL, 120)}`,
  'stripe key': r => `${r.pick(['sk_live_', 'rk_live_', 'sk_test_'])}${r.chars(BASE62, r.pick([24, 99]))}`,
  'stripe webhook': r => `whsec_${r.chars(BASE62, 32)}`,
  'npm token': r => `npm_${r.chars(BASE62, 36)}`,
  'pypi token': r => `pypi-AgEIcHlwaS5vcmc${r.chars(BASE64URL, 90)}`,
  'rubygems key': r => `rubygems_${r.chars(HEX, 48)}`,
  'docker token': r => `dckr_pat_${r.chars(BASE64URL, 27)}`,
  'sendgrid key': r => `SG.${r.chars(BASE64URL, 22)}.${r.chars(BASE64URL, 43)}`,
  'twilio key': r => `SK${r.chars(HEX, 32)}`,
  'hugging face token': r => `hf_${r.chars(UPPER + LOWER, 34)}`,
  'replicate token': r => `r8_${r.chars(BASE62, 37)}`,
  'groq key': r => `gsk_${r.chars(BASE62, 52)}`,
  'perplexity key': r => `pplx-${r.chars(BASE62, 48)}`,
  'xai key': r => `xai-${r.chars(BASE62, 80)}`,
  'digitalocean token': r => `${r.pick(['dop_v1_', 'doo_v1_', 'dor_v1_'])}${r.chars(HEX, 64)}`,
  'shopify token': r => `${r.pick(['shpat_', 'shpca_', 'shppa_', 'shpss_'])}${r.chars(HEX, 32)}`,
  'linear key': r => `lin_api_${r.chars(BASE62, 40)}`,
  'figma token': r => `figd_${r.chars(BASE64URL, 40)}`,
  'atlassian token': r => `ATATT3xFfGF0${r.chars(BASE64URL, 170)}=${r.chars('0123456789ABCDEF', 8)}`,
  'new relic key': r => `NRAK-${r.chars(DIGITS + UPPER, 27)}`,
  'grafana token': r => `glsa_${r.chars(BASE62, 32)}_${r.chars(HEX, 8)}`,
  'vault token': r => `hvs.${r.chars(BASE64URL, 95)}`,
  'databricks token': r => `dapi${r.chars(HEX, 32)}`,
  'postman key': r => `PMAK-${r.chars(HEX, 24)}-${r.chars(HEX, 34)}`,
  'supabase token': r => `sbp_${r.chars(HEX, 40)}`,
  'telegram bot': r => `${r.chars('123456789', 10)}:AA${r.chars(BASE64URL, 33)}`,
  'square token': r => `sq0atp-${r.chars(BASE64URL, 22)}`,
  'pulumi token': r => `pul-${r.chars(HEX, 40)}`,
  'terraform token': r => `${r.chars(BASE62, 14)}.atlasv1.${r.chars(BASE62, 67)}`,
  'doppler token': r => `dp.pt.${r.chars(BASE62, 43)}`,
  'brevo key': r => `xkeysib-${r.chars(HEX, 64)}-${r.chars(BASE62, 16)}`,
  'age key': r => `AGE-SECRET-KEY-1${r.chars('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`,
  'tailscale key': r => `tskey-auth-${r.chars(BASE62, 17)}-${r.chars(BASE62, 32)}`,
  'sentry token': r => `sntrys_${base64url({ iat: 1_700_000_000 + r.below(9_000_000), url: 'https://s.io' })}_${r.chars(BASE64URL, 43)}`,
  'azure storage': r => [`DefaultEndpointsProtocol=https;AccountName=st${r.chars(LOWER, 8)};AccountKey=`, `${r.chars(BASE64, 86)}==`, ';EndpointSuffix=core.windows.net'],
  'private key': pem(''),
  'rsa private key': pem('RSA '),
  'openssh private key': pem('OPENSSH '),
  'json web token': jwt,
  'postgres login': login('postgres'),
  'mongodb login': login('mongodb+srv'),
  'redis login': login('redis'),
  'https login': login('https'),
}

/** Nothing but the word beside it says what it is. */
const SILENT = {
  'aws secret': r => [r.pick(['aws_secret_access_key', 'AWS_SECRET_ACCESS_KEY']), r.chars(BASE64, 40)],
  'hex key': r => [r.pick(['api_key', 'DD_API_KEY', 'apiKey', 'x-api-key']), r.chars(HEX, r.pick([32, 40, 64]))],
  'token': r => [r.pick(['access_token', 'authToken', 'SESSION_TOKEN', 'refresh_token']), r.chars(BASE62, r.pick([32, 40, 48]))],
  'client secret': r => [r.pick(['client_secret', 'clientSecret', 'OAUTH_CLIENT_SECRET']), r.chars(BASE64URL, r.pick([32, 40]))],
  'password': r => [r.pick(['password', 'DB_PASSWORD', 'passwd']), r.chars(`${BASE62}!#$%&*+-_`, r.pick([12, 16, 24]))],
  'bearer': r => ['Authorization', `Bearer ${r.chars(BASE62, 40)}`],
  'basic': r => ['Authorization', `Basic ${Buffer.from(`svc-${r.chars(LOWER, 4)}:${r.chars(BASE62, 16)}`).toString('base64')}`],
  'uuid key': r => [r.pick(['HEROKU_API_KEY', 'api_token']), [8, 4, 4, 4, 12].map(length => r.chars(HEX, length)).join('-')],
}

const WITH_WORD = [
  (key, value) => [`${key}=`, value, '\n'],
  (key, value) => [`export ${key}="`, value, '"\n'],
  (key, value) => [`  ${key}: `, value, '\n  region: north\n'],
  (key, value) => [`{ "${key}": "`, value, '", "retries": 3 }'],
  (key, value) => [`const ${key.replaceAll('-', '_')} = '`, value, "'"],
]
// No word in these says that it is a secret.
const WITHOUT_WORD = [
  value => ['The job of last night printed ', value, ' and then went on.'],
  value => ['curl -sS https://files.halden-mill.net/v2/items -d ', value, ' | jq .'],
  value => ['', value, ''],
  value => ['| row | 17 | ', value, ' | done |'],
  value => ['I pasted it: ', value, '\nCan you see why that does not work?'],
]

/** @param made the secret, or what stands before it, the secret, and what stands after it. */
function placed([before, made, after], shape) {
  const [first, secret, last] = typeof made === 'string' ? ['', made, ''] : made
  const start = before.length + first.length
  return { shape, text: `${before}${first}${secret}${last}${after}`, start, end: start + secret.length }
}

/** Texts with one made-up secret each, in and out of the company of a word that tells. */
export function secretCases(each, seed = 7) {
  const r = new Random(seed)
  const withWord = []
  const without = []
  for (const [shape, make] of Object.entries(TELLING)) {
    for (let i = 0; i < each; i++) {
      withWord.push(placed(r.pick(WITH_WORD)(`${r.pick(['API', 'DEPLOY', 'BOT', 'CI'])}_${r.pick(['KEY', 'TOKEN', 'SECRET'])}`, make(r)), shape))
      without.push(placed(r.pick(WITHOUT_WORD)(make(r)), shape))
    }
  }
  for (const [shape, make] of Object.entries(SILENT)) {
    for (let i = 0; i < each; i++) {
      const [key, value] = make(r)
      const line = key === 'Authorization' ? [`${key}: `, value, '\nAccept: */*\n'] : r.pick(WITH_WORD)(key, value)
      withWord.push(placed(line, shape))
    }
  }
  return { withWord, without }
}

/** Share of the secrets of which more than half is found to be one. */
export async function secretRecall(detector, cases) {
  const { detect } = detector.open()
  const byShape = {}
  let found = 0
  for (const { shape, text, start, end } of cases) {
    const covered = (await detect(text)).filter(({ type }) => type === 'SECRET').reduce((sum, finding) => sum + Math.max(0, Math.min(finding.end, end) - Math.max(finding.start, start)), 0)
    const hit = 2 * covered > end - start
    byShape[shape] ??= { texts: 0, found: 0 }
    byShape[shape].texts++
    if (hit) {
      byShape[shape].found++
      found++
    }
  }
  return { texts: cases.length, found, share: found / cases.length, byShape }
}
