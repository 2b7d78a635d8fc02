/** What may follow a prefix: letters and digits (`W`), also `_` (`U`), also `-` (`D`), also `.` (`T`), base64 (`B`), parts of a path (`S`), hexadecimal (`H`), upper case and digits (`A`), lower case and digits (`L`). */
export type Alphabet = 'W' | 'U' | 'D' | 'T' | 'B' | 'S' | 'H' | 'A' | 'L'

/** How the tokens of one issuer look. */
export interface TokenShape {
  readonly prefix: string
  readonly alphabet: Alphabet
  readonly least: number
  /** Longest, where the length is fixed and the prefix alone says little. */
  readonly most: number
}

// Prefix, alphabet, least length of the rest, and its greatest where a longer run is something else; from the issuers' public documentation.
const ROWS = `
ghp_ W 30;gho_ W 30;ghu_ W 30;ghs_ W 30;ghr_ W 30;github_pat_ U 40;v1. H 40 40
glpat- D 20;gldt- D 20;glft- D 20;glrt- D 20;glptt- H 40;glcbt- D 20;glagent- D 40;gloas- H 64;glsoat- D 20;glimt- D 20;glffct- D 20;GR1348941 D 20
xoxb- D 20;xoxp- D 20;xoxa- D 20;xoxr- D 20;xoxs- D 20;xoxo- D 20;xoxe- D 20;xoxe.xoxb- D 20;xoxe.xoxp- D 20;xapp- D 20;xoxc- D 20;xoxd- B 20
AKIA A 16 16;ASIA A 16 16;ABIA A 16 16;ACCA A 16 16;ABSK B 100;bedrock-api-key- B 60
AIza D 35 35;ya29. D 30;GOCSPX- D 24;AQ.Ab D 40
sk- W 32 64;sk-proj- D 40;sk-svcacct- D 40;sk-admin- D 40;sk-None- D 40;sk-ant-api03- D 60;sk-ant-admin01- D 60;sk-ant-oat01- D 60;sk-ant-ort01- D 60;sk-or-v1- H 60;sk-lf- D 32;pk-lf- D 32;sk-aiin- D 20
hf_ W 30 60;api_org_ W 30;r8_ W 36 44;gsk_ W 48;xai- W 60;pplx- W 40;fw_ W 20 40;tgp_v1_ D 40;nvapi- D 50;csk- L 40;pcsk_ U 50;tvly- D 28;lsv2_pt_ U 40;lsv2_sk_ U 40;jina_ D 50;voyage- D 40;esecret_ W 20
sk_live_ W 16;sk_test_ W 16;rk_live_ W 16;rk_test_ W 16;whsec_ B 24;sk_prod_ W 16;sk_org_ W 16
SK H 32 32;SG. T 60;key- H 32 32;pubkey- H 32;xkeysib- D 64;xsmtpsib- D 64;re_ U 24 44;mlsn. H 60
npm_ W 36;pypi- D 50;rubygems_ H 48;CLOJARS_ L 60;cio W 32 32;oy2 L 43 43;dckr_pat_ D 27;dckr_oat_ D 27;nfp_ W 32;hvs. D 24;hvb. D 60;hvr. D 24;atlasv1. D 60
dop_v1_ H 64;doo_v1_ H 64;dor_v1_ H 64;sbp_ H 40;sb_secret_ D 30;pscale_tkn_ T 32;pscale_pw_ T 32;pscale_oauth_ T 32;napi_ L 40;tskey-auth- D 20;tskey-api- D 20;tskey-client- D 20;tskey- D 30;HRKU- D 36;fo1_ D 40;fm1r_ B 80;fm1a_ B 80;fm2_ B 80
shpat_ H 32;shpca_ H 32;shppa_ H 32;shpss_ H 32;sq0atp- D 22;sq0csp- D 43;EAAA D 60 60;sq0idp- D 22;rzp_live_ W 14;rzp_test_ W 14;FLWSECK- D 32;FLWSECK_TEST- D 12;FLWSECK_LIVE- D 12;EZAK W 54 54;EZTK W 54 54;shippo_live_ H 40;shippo_test_ H 40;duffel_test_ D 40;duffel_live_ D 40;access-sandbox- D 36 36;access-development- D 36 36;access-production- D 36 36;live_pub_ H 30;test_pub_ H 30
lin_api_ W 40;lin_oauth_ H 60;secret_ W 43 43;ntn_ W 40;figd_ D 36;figo_ D 36;PMAK- D 50;glc_ B 32;glsa_ U 40;NRAK- A 27;NRJS- H 19;NRII- D 32;NRRA- H 40;NRAA- H 27;sntrys_ B 80;sntryu_ H 64;dapi H 32 34;dkea H 32 32;pul- H 40;dp.pt. W 40;dp.st. T 40;dp.ct. W 40;dp.sa. W 40;dp.scim. W 40;dp.audit. W 40
pat-na1- D 36;pat-eu1- D 36;ATATT3 D 60;ATCTT3 D 60;ATBB W 28 36;AKCp W 69 69;p8e- L 32;LTAI W 16 24;dt0c01. T 80;CFPAT- D 43;sl. D 100 200;fio-u- D 60;CCIPAT_ U 40;bkua_ H 40;rdme_ L 70;sqp_ H 40;squ_ H 40;sqa_ H 40;sgp_ U 40;slk_ H 60;tfp_ T 40;pnu_ W 36;ops_eyJ B 100;tk-us- D 48;ico- W 32;BBFF- D 20;lob_live_ H 30;waka_ D 36;pat. T 50;pat T 79 79;phc_ W 40;phx_ W 40;sdk-live- D 20;api-live- D 20;eyJrIjoi B 60
EAACEdEose0cBA W 20;EAAG W 80;EAA W 100;AAAAAAAAAAAAAAAAAAAAA B 60;sha256~ D 43;t1. D 80;AQVN D 35 38;YC D 38 38;AGE-SECRET-KEY-1 A 58;A3- D 33;FlyV1 B 100;sapat_ D 40;nuget_ W 40;cmVmd W 59;ddp_ W 34;dd_api_ W 30;apify_api_ W 30;airtable_ W 30;polar_oat_ W 30;polar_pat_ W 30;vcp_ W 24;vercel_blob_rw_ U 30;cfat_ W 30;cfut_ W 30;rnd_ W 28;railway_ W 30;e2b_ H 40;or-v1- H 60;bsk_ W 30;fal_ W 30;sk_car_ W 20;aio_ W 28;patreon_ W 30;sntp_ W 30;tly- W 40;stytch_ W 30;secret-live- D 36;secret-test- D 36;project-live- D 36;ctx7sk- D 30;fc- H 32 32;github_oauth_ W 30
4b1d W 38 38;v1.0- D 171 171;sk.eyJ T 60;s-s4t2ud- H 64 64;s-s4t2af- H 64 64;API- A 26 26;mdb_sa_sk_ D 40 40
hooks.slack.com/services/ S 38 60;hooks.slack.com/triggers/ S 40 90;hooks.slack.com/workflows/ S 40 90;discord.com/api/webhooks/ S 75 110;discordapp.com/api/webhooks/ S 75 110;webhook.office.com/webhookb2/ S 120 240
`

/** Some issuers put a whole document into a token. */
const LONGEST = 4096

/** All of them. */
export const TOKENS: readonly TokenShape[] = ROWS.trim()
  .split(/[;\n]/)
  .map(row => {
    const [prefix = '', alphabet = 'W', least = '0', most = String(LONGEST - prefix.length)] = row.split(' ')
    return { prefix, alphabet: alphabet as Alphabet, least: Number(least), most: Number(most) }
  })
