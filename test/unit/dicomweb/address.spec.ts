import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseAddress, queriesOf } from '../../../src/dicomweb/address.ts'
import { readAuthorization } from '../../../src/dicomweb/credentials.ts'
import { requireSafe } from '../../../src/dicomweb/request.ts'
import { InputError } from '../../../src/errors.ts'

describe('the address of a PACS', () => {
  it('names a service, studies by filter or list, and one study or series', () => {
    expect(parseAddress('dicomweb+https://pacs.example:8443/dicom-web/?ModalitiesInStudy=CT&00080020=20250101-')).to.deep.equal({
      base: 'https://pacs.example:8443/dicom-web',
      filter: [['ModalitiesInStudy', 'CT'], ['00080020', '20250101-']]
    })
    expect(parseAddress('DICOMWEB+http://pacs/studies/1.2/series/3.4')).to.deep.equal({
      base: 'http://pacs',
      study: '1.2',
      series: '3.4',
      filter: []
    })
    const queries = (text: string): string[] => queriesOf(parseAddress(text)).map(String)
    expect(queries('dicomweb+http://pacs/q/studies/1.2')).to.deep.equal(['StudyInstanceUID=1.2'])
    expect(queries('dicomweb+http://pacs/q?StudyInstanceUID=1.2,3.4&PatientSex=F')).to.deep.equal([
      'PatientSex=F&StudyInstanceUID=1.2',
      'PatientSex=F&StudyInstanceUID=3.4'
    ])
    expect(() => queries('dicomweb+http://pacs/q')).to.throw(InputError, 'all studies of a PACS are too many')
  })

  it('is refused without a word of it where it is none', () => {
    const CANARY = 'CANARY'
    for (
      const text of [
        `dicomweb+ftp://${CANARY}/`, `dicomweb+https://user:${CANARY}@pacs/`, `dicomweb+https://pacs/studies/${CANARY}`,
        `dicomweb+https://pacs/studies/1/series/${CANARY}`, `dicomweb+https://pacs/?${CANARY} x=1`,
        `dicomweb+https://pacs/?limit=${CANARY}`,
        `dicomweb+https://pacs/?${CANARY}=`, `dicomweb+https://pacs/?StudyInstanceUID=1,${CANARY}`, `dicomweb+${CANARY}`
      ]
    ) expect(() => parseAddress(text), text).to.throw(InputError).and.satisfy(({ message }: Error) => !message.includes(CANARY))
  })
})

describe('the password for a PACS', () => {
  let folder: string
  let file: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    file = join(folder, 'pacs.json')
  })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('comes from the environment, or a file of this user alone, or there is none', async () => {
    expect(await readAuthorization(file, {})).to.equal(undefined)
    await writeFile(file, '{ "user": "ä", "password": "b:c" }', { mode: 0o600 })
    expect(await readAuthorization(file, {})).to.equal(`Basic ${Buffer.from('ä:b:c').toString('base64')}`)
    expect(await readAuthorization(file, { CONSILIUM_PACS_USER: 'u', CONSILIUM_PACS_PASSWORD: 'p' })).to.equal('Basic dTpw')
    expect(await readAuthorization(file, { CONSILIUM_PACS_TOKEN: 't' })).to.equal('Bearer t')
    await writeFile(file, '{ "user": "secret" }')
    const refusal = await readAuthorization(file, {}).then(() => '', ({ message }: Error) => message)
    expect(refusal).to.equal(`${file} must be { "user": "…", "password": "…" } or { "token": "…" }`)
    await chmod(file, 0o640)
    expect(await readAuthorization(file, {}).then(() => '', ({ message }: Error) => message)).to.include('chmod 600')
  })

  it('goes over https, or stays on this machine', () => {
    const authorization = 'Basic dTpw'
    for (const base of ['https://pacs', 'http://127.0.0.1:8042', 'http://localhost', 'http://[::1]:1']) requireSafe({ base, authorization })
    requireSafe({ base: 'http://pacs' })
    expect(() => requireSafe({ base: 'http://pacs', authorization })).to.throw(InputError, 'goes over https alone')
  })
})
