import type { Catalogue, Listed } from './catalogue.ts'

/** An answer other than 200, with one sentence. */
export class Refused extends Error {
  override name = 'Refused'

  constructor (readonly status: 404 | 405 | 406 | 409 | 503, sentence: string) {
    super(sentence)
  }
}

/** @throws Refused for an image that is not in the data folder */
export async function listedOr404 (catalogue: Catalogue, id: string | undefined): Promise<Listed> {
  const listed = id == null ? undefined : await catalogue.find(id)
  if (listed == null) throw new Refused(404, 'there is no such image: ids are those of /datastore/, or the Series Instance UID')
  return listed
}
