/** Lower-case words, each without separators. */
export type Words = ReadonlySet<string>

/** From a sentence of words. */
export const words = (line: string): Words => new Set(line.split(' '))

/** Words that speak against a number being a personal one. */
export const NEGATIVE: Words = words(
  'order invoice version tracking sku commit build release revision ticket isbn issn doi asin upc ean barcode timestamp epoch hash checksum bytes offset pid port ' +
    'bestellung rechnung sendung bestellnummer rechnungsnummer commande facture pedido factura ordine fattura',
)

/** Words that a telephone number is labelled with. */
export const PHONE_LABELS: Words = words(
  'phone telephone tel mobile mob cell cellphone fax telefax whatsapp contact hotline helpline landline voicemail msisdn telefon telefonu telefonem telefonen telefonnummer handy handynummer rufnummer mobil durchwahl téléphone portable ' +
    'teléfono telefono móvil movil celular contacto contato kontakt telefone telemóvel telemovel cellulare telefoon telefoonnummer puhelin puhelinnumero mobilnummer telefonnr tlf tlfn kom cep gsm 電話 電話番号 电话 手机 전화',
)

/** Words that raise a type where they stand near a match. */
export const CONTEXT: { readonly [type: string]: Words } = {
  PHONE: new Set([
    ...PHONE_LABELS,
    ...words(
      'phones mobiles call calls called calling caller callback dial dialled dialing dialling ring reach sms text texted texting phoned phoning anrufen rückruf appeler appelez llamar llame ligar ligue chiamare bellen numer',
    ),
  ]),
  CREDIT_CARD: words(
    'card cards credit debit visa mastercard amex american express discover diners jcb maestro unionpay payment pay paid charge charged cc ccn pan kreditkarte karte kartennummer carte bancaire ' +
      'tarjeta crédito credito cartão cartao carta creditcard cardnumber',
  ),
  IBAN: words('iban account bank transfer konto'),
  US_SSN: words('ssn ssns social security socialsecurity socialsecuritynumber taxpayer itin ss'),
  IP: words('ip ipv4 ipv6 address addresses host server client remote peer addr from login logged ipaddress'),
  PRIVATE_IP: words('ip ipv4 ipv6 address host server client remote'),
  MAC: words('mac macs macaddress hwaddr ether ethernet bssid hardwareaddress physicaladdress nic wlan wifi'),
  CRYPTO_ADDRESS: words('bitcoin btc wallet crypto ethereum eth address coin'),
  DATE_OF_BIRTH: words('born birth birthday birthdate dob birthdates dateofbirth geboren geburtsdatum geb naissance né née nacimiento nacido nacida nascimento nascita nato nata geboortedatum syntymäaika född fødselsdato'),
  VIN: words('vin vehicle chassis car fahrgestellnummer fin'),
  PLATE: words('plate plates licenseplate licence registration kennzeichen nummernschild immatriculation matrícula matricula targa kenteken reg'),
  IMEI: words('imei device handset phone serial'),
  CARD_DETAIL: words('cvv cvc cvv2 cvc2 csc cid cardverification securitycode exp expiry expires expiration expirydate expirationdate validthru validuntil gültigbis caducidad prüfziffer'),
  GPS: words('gps lat latitude lng lon long longitude coordinates coords location position geo'),
}
