/** Types that are found on their own, and what PRIVACY.md asks of each. */
export const DEFAULT_BARS = { EMAIL: 0.99, PHONE: 0.95, CREDIT_CARD: 0.99, IBAN: 0.995, US_SSN: 0.99, IP: 0.99, SECRET: 0.98 }
export const DEFAULT_TYPES = Object.keys(DEFAULT_BARS)
/** Labels of running text that a detector of structured types is held to; names, places and dates are no such types. */
export const STRUCTURED = ['EMAIL', 'PHONE', 'CREDIT_CARD', 'IBAN', 'US_SSN', 'IP']

/**
 * What others call a type: a label of the data, a type of Presidio, a type of one of the packages. The first name that the
 * detector under test knows is taken.
 */
const OURS = {
  EMAIL: ['EMAIL_ADDRESS'],
  PHONE: ['PHONE_NUMBER', 'PHONE_US', 'PHONE_UK', 'PHONE_UK_MOBILE', 'PHONE_INTERNATIONAL', 'PHONE_LINE_NUMBER', 'EMERGENCY_CONTACT'],
  CREDIT_CARD: [],
  IBAN: ['IBAN_CODE', 'UK_BANK_ACCOUNT_IBAN'],
  US_SSN: ['SSN', 'US_SOCIAL_SECURITY_NUMBER'],
  IP: ['IP_ADDRESS', 'IPV4', 'IPV6'],
  SECRET: [
    'API_KEY', 'PASSWORD', 'OPENAI_API_KEY', 'AWS_SECRET_KEY', 'AWS_ACCESS_KEY', 'PRIVATE_KEY', 'SSH_PRIVATE_KEY', 'URL_WITH_AUTH', 'GOOGLE_API_KEY', 'STRIPE_API_KEY',
    'GITHUB_TOKEN', 'DATABASE_CONNECTION', 'SLACK_TOKEN', 'AZURE_STORAGE_KEY', 'GCP_SERVICE_ACCOUNT', 'OAUTH_CLIENT_SECRET', 'JWT_TOKEN', 'GENERIC_SECRET', 'DOCKER_AUTH',
    'SLACK_WEBHOOK', 'TWILIO_API_KEY', 'SENDGRID_API_KEY', 'BEARER_TOKEN', 'KUBERNETES_SECRET', 'NPM_TOKEN', 'PYPI_TOKEN', 'FIREBASE_API_KEY', 'GENERIC_API_KEY',
    'MAILGUN_API_KEY', 'COOKIE_SESSION', 'OAUTH_TOKEN', 'HEROKU_API_KEY', 'PAYMENT_TOKEN', 'CLIENT_ID',
  ],
  URL: [],
  MAC: ['MAC_ADDRESS'],
  CRYPTO_ADDRESS: ['CRYPTO', 'BITCOIN_ADDRESS', 'ETHEREUM_ADDRESS', 'LITECOIN_ADDRESS', 'MONERO_ADDRESS', 'RIPPLE_ADDRESS'],
}

/** The national identifiers of Presidio by country, under its names; after a name, those of others for the same. */
const NATIONAL_NAMES = {
  US: [['ABA_ROUTING_NUMBER', 'US_ABA_ROUTING_NUMBER', 'US_ABA_ROUTING', 'US_ABA', 'ROUTING_NUMBER_US'], ['MEDICAL_LICENSE', 'US_MEDICAL_LICENSE', 'US_DEA', 'US_DEA_NUMBER', 'DEA_NUMBER'], ['US_BANK_NUMBER'], ['US_DRIVER_LICENSE', 'DRIVING_LICENSE_US'], ['US_ITIN', 'ITIN'], ['US_MBI'], ['US_NPI', 'NPI_NUMBER'], ['US_PASSPORT', 'PASSPORT_US'], ['US_SSN', 'SSN']],
  GB: [['UK_DRIVING_LICENCE', 'DRIVING_LICENSE_UK'], ['UK_NHS', 'NHS_NUMBER'], ['UK_NINO', 'NATIONAL_INSURANCE_UK'], ['UK_PASSPORT', 'PASSPORT_UK'], ['UK_POSTCODE', 'POSTCODE_UK'], ['UK_VEHICLE_REGISTRATION', 'UK_VEHICLE', 'UK_LICENSE_PLATE']],
  DE: [['DE_BSNR'], ['DE_FUEHRERSCHEIN'], ['DE_HANDELSREGISTER'], ['DE_HEALTH_INSURANCE'], ['DE_ID_CARD'], ['DE_KFZ', 'GERMAN_LICENSE_PLATE'], ['DE_LANR'], ['DE_PASSPORT'], ['DE_PLZ'], ['DE_SOCIAL_SECURITY'], ['DE_TAX_ID', 'GERMAN_TAX_ID'], ['DE_TAX_NUMBER'], ['DE_VAT_ID', 'VAT_NUMBER']],
  IN: [['IN_AADHAAR', 'INDIAN_AADHAAR'], ['IN_GSTIN'], ['IN_PAN'], ['IN_PASSPORT'], ['IN_VEHICLE_REGISTRATION'], ['IN_VOTER']],
  KR: [['KR_BRN'], ['KR_DRIVER_LICENSE'], ['KR_FRN'], ['KR_PASSPORT'], ['KR_RRN', 'SOUTH_KOREAN_RRN']],
  IT: [['IT_DRIVER_LICENSE'], ['IT_FISCAL_CODE', 'ITALIAN_FISCAL_CODE'], ['IT_IDENTITY_CARD'], ['IT_PASSPORT'], ['IT_VAT_CODE', 'VAT_NUMBER']],
  AU: [['AU_ABN'], ['AU_ACN'], ['AU_MEDICARE', 'AUSTRALIAN_MEDICARE'], ['AU_TFN', 'AUSTRALIAN_TFN']],
  ES: [['ES_NIE'], ['ES_NIF', 'SPANISH_DNI'], ['ES_PASSPORT']],
  SG: [['SG_NRIC_FIN', 'SINGAPORE_NRIC'], ['SG_UEN']],
  SE: [['SE_ORGANISATIONSNUMMER', 'SE_ORG_NUMBER'], ['SE_PERSONNUMMER']],
  NG: [['NG_NIN', 'NIGERIA_NIN'], ['NG_VEHICLE_REGISTRATION', 'NG_VEHICLE']],
  TR: [['TR_LICENSE_PLATE'], ['TR_NATIONAL_ID', 'TURKEY_ID']],
  CA: [['CA_SIN', 'CANADIAN_SIN', 'SIN_CA']],
  FI: [['FI_PERSONAL_IDENTITY_CODE', 'FI_PERSONAL_IDENTITY', 'FI_HETU']],
  PL: [['PL_PESEL', 'POLISH_PESEL']],
  PH: [['PH_TIN']],
  TH: [['TH_TNIN', 'THAILAND_NATIONAL_ID']],
  ZA: [['ZA_ID_NUMBER', 'SOUTH_AFRICA_ID']],
}

/** Identifiers that Presidio does not have; their vectors are in the tests. */
export const FURTHER = [
  'FR_NIR', 'NL_BSN', 'BE_NN', 'BR_CPF', 'BR_CNPJ', 'MX_CURP', 'MX_RFC', 'CN_RIC', 'JP_MY_NUMBER', 'NO_FODSELSNUMMER', 'DK_CPR', 'CH_AHV', 'PT_NIF', 'AT_SVNR', 'IE_PPS', 'AR_CUIT',
  'CL_RUT', 'CO_NIT', 'EC_CEDULA', 'PE_RUC', 'CZ_RODNE_CISLO', 'SK_RODNE_CISLO', 'RO_CNP', 'BG_EGN', 'HR_OIB', 'EE_ISIKUKOOD', 'LT_ASMENS_KODAS', 'GR_AFM', 'GR_AMKA', 'HU_TAJ', 'SI_EMSO',
  'PL_NIP', 'IS_KENNITALA', 'IL_ID', 'HK_ID', 'TW_ID', 'NZ_IRD',
]

/** By Presidio's name. */
export const NATIONAL = new Map(
  Object.entries(NATIONAL_NAMES).flatMap(([country, types]) => types.map(names => [names[0], { country, names }])),
)

const TYPES = new Map(Object.entries(OURS).flatMap(([type, names]) => [type, ...names].map(name => [name, type])))

/** Our name of a type of anybody's. */
export function ourType(name) {
  return TYPES.get(name) ?? name
}

/** Every name a label may have, the most likely first. */
export function namesOf(label) {
  const national = NATIONAL.get(label)
  if (national !== undefined) return national
  const type = ourType(label)
  return { names: [type, ...(OURS[type] ?? [])] }
}
