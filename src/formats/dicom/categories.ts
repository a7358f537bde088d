/** What kind of thing a segment shows, by the words of a federation's labels. */
export type Category = 'anatomy' | 'tissue' | 'abnormality' | 'substance' | 'object' | 'function' | 'spatial'

/** The same as concepts of SNOMED CT (PS3.16 CID 7150). */
const CONCEPTS: Readonly<Record<Category, readonly [value: string, meaning: string]>> = {
  anatomy: ['91723000', 'Anatomical Structure'],
  tissue: ['85756007', 'Tissue'],
  abnormality: ['49755003', 'Morphologically Abnormal Structure'],
  substance: ['91720002', 'Body Substance'],
  object: ['260787004', 'Physical object'],
  function: ['246464006', 'Function'],
  spatial: ['309825002', 'Spatial and Relational Concept']
}

/** Concepts of SNOMED CT that are no anatomy: of PS3.16 CID 7194, 7191, 7197 and 7193, those that are segmented most. */
const KNOWN: ReadonlyArray<readonly [Category, ...string[]]> = [
  [
    'abnormality', '301766008', '55584005', '372087000', '4147007', '367643001', '44132006', '79654002', '75753009', '27925004', '52988006',
    '108369006', '14799000', '6574001', '50960005', '409774005'
  ],
  ['tissue', '85756007', '87784001', '21793004', '12402003', '55603005', '309312004', '71966008', '6969002', '91727004', '87612001'],
  ['substance', '32457005', '39477002'],
  ['object', '65818007', '19923001', '79068005', '77720000', '40388003', '19227008', '14106009', '53350007']
]
const BY_VALUE = new Map(KNOWN.flatMap(([category, ...values]) => values.map((value) => [value, category] as const)))

/** The concept of a category: as it is said, else by the code of what a segment shows, else anatomy. */
export function categoryOf ({ scheme, value, category }: {
  readonly scheme: string
  readonly value: string
  readonly category?: Category | undefined
}): { readonly scheme: string, readonly value: string, readonly meaning: string } {
  const [code, meaning] = CONCEPTS[category ?? (scheme === 'SCT' ? BY_VALUE.get(value) : undefined) ?? 'anatomy']
  return { scheme: 'SCT', value: code, meaning }
}
