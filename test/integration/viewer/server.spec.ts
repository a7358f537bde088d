import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { loadDataset } from '../../../src/dataset/index.ts'
import { readNrrd } from '../../../src/formats/nrrd.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { Corrections } from '../../../src/site-model/corrections/corrections.ts'
import { ViewerServer, type ViewerInit } from '../../../src/viewer/server.ts'
import { niftiBytes, png } from '../../unit/dataset/fixtures.ts'
import { DICOM } from '../../unit/formats/dicom/fixtures.ts'
import { MonaiClient } from './monai-client.ts'

const DIMS = [24, 20, 6]
/** Voxels that run to the left, the front and the foot: none of the cut's own ways. */
const SFORM = [[-1, 0, 0, 12], [0, 1, 0, -10], [0, 0, -4, 12]]
const TOKEN = 'a-token-of-more-than-24-characters'

interface Info { labels: string[], models: Record<string, { type: string, dimension: number, labels: object }>, strategies: object }
interface Datastore { objects: Record<string, { image: { info: { name: string } }, labels: Record<string, { ext: string }> }> }

describe('the server of viewers', function () {
  this.timeout(300_000)
  let folder: string
  let init: ViewerInit
  let server: ViewerServer
  let client: MonaiClient
  let volume: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-viewer-'))
    const [home, data] = [join(folder, 'home'), join(folder, 'data')]
    await createFederation({ home, name: 'x', rounds: 1, imageSize: 64 })
    for (const name of ['images', 'masks', 'dicom']) await mkdir(join(data, name), { recursive: true })
    const isInside = (i: number): boolean => Math.hypot(i % 24 - 12, Math.floor(i / 24) % 20 - 10) < 6
    const values = Array.from({ length: 24 * 20 * 6 }, (_, i) => (isInside(i) ? 200 : 20) + i % 7)
    const nifti = niftiBytes({ dims: DIMS, values, datatype: 4, sform: SFORM })
    await writeFile(join(data, 'images', 'Doe^John.nii'), nifti)
    await writeFile(join(data, 'images', 'labelled_1.png'), await png(32, 32, (x, y) => x * 3 + y))
    await writeFile(join(data, 'masks', 'labelled_1.png'), await png(32, 32, (x) => x > 9 ? 255 : 0))
    await cp(join(DICOM, 'ct'), join(data, 'dicom'), { recursive: true })
    init = {
      home,
      data,
      port: 0,
      listen: '127.0.0.1',
      token: undefined,
      origins: ['https://ohif.hospital'],
      compute: { engine: 'onnx', provider: 'cpu', threads: 1 }
    }
    server = await ViewerServer.start(init)
    client = new MonaiClient(server.url)
    const { objects } = await client.datastore<Datastore>()
    volume = Object.entries(objects).find(([, { image }]) => image.info.name.endsWith('.nii'))![0]
  })
  after(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })

  async function voxelsOf (bytes: Buffer): Promise<{ dims: readonly number[], affine: readonly (readonly number[])[], voxels: number[] }> {
    const file = join(folder, 'answer.nrrd')
    await writeFile(file, bytes)
    const { header, voxels } = await readNrrd(file)
    return { dims: header.dims, affine: header.affine, voxels: [...voxels].map(Number) }
  }

  it('lists models, strategies and images, and names nobody', async () => {
    const info = await client.info<Info>()
    expect(info.labels).to.deep.equal(['foreground'])
    expect(info.models['segmentation']).to.include({ type: 'segmentation', dimension: 3 })
    expect(info.models['prompts']).to.include({ type: 'deepgrow', dimension: 2 })
    expect(Object.keys(info.strategies)).to.deep.equal(['uncertainty', 'first', 'random'])
    const all = await client.datastore<Datastore>()
    expect(Object.keys(all.objects)).to.have.length(3)
    for (const id of Object.keys(all.objects)) expect(id).to.match(/^[0-9a-f]{24}$/)
    expect(JSON.stringify([info, all])).not.to.match(/John|labelled_1|consilium-viewer/)
  })

  it('names an image without labels, and sends it as it is', async () => {
    const { id, name } = await client.nextSample('uncertainty')
    expect(name).to.match(new RegExp(`^${id}\\.n`))
    const image = await client.send('GET', `/datastore/image?image=${volume}`)
    expect(Buffer.from(await image.arrayBuffer()).equals(await readFile(join(init.data, 'images', 'Doe^John.nii')))).to.equal(true)
    expect((await client.send('GET', '/datastore/image?image=..%2F..%2Fhome%2Fidentity.key')).status).to.equal(404)
  })

  it('segments the slice that was clicked on, in the volume\'s own voxels, and a second time from the embedding', async () => {
    const params = { label: 'foreground', foreground: [[12, 10, 2]], background: [[1, 1, 2]], roi: [17, 6, 16, 4, 5, 0], slice: 2 }
    const { image, name, params: said } = await client.infer('prompts', volume, params)
    expect(name).to.equal(`${volume}.nrrd`)
    expect(said['label_names']).to.deep.equal({ foreground: 1 })
    const { dims, affine, voxels } = await voxelsOf(image)
    expect(dims).to.deep.equal(DIMS)
    expect(affine.map((row) => row.map((value) => value + 0))).to.deep.equal(SFORM)
    const marked = new Set(voxels.flatMap((value, i) => value > 0 ? [Math.floor(i / 480)] : []))
    expect([...marked]).to.deep.equal([2])
    const again = await client.infer('prompts', volume, { ...params, result_extension: '.nii.gz' })
    expect([...gunzipSync(again.image).subarray(352)]).to.deep.equal(voxels)
    for (const [wrong, sentence] of [
      [{ foreground: [[1, 1, 1], [1, 1, 2]] }, 'several slices'],
      [{}, 'neither a point nor a box'],
      [{ foreground: [[99, 1, 1]] }, 'does not lie in the image'],
      [{ foreground: [[1, 1, 77]] }, 'is none of the image'],
      [{ foreground: 'x' }, 'params.foreground cannot be used']
    ] as const) {
      const refused = await client.infer('prompts', volume, wrong).then(() => '', (error: unknown) => (error as Error).message)
      expect(refused).to.include(sentence)
      expect(refused).not.to.include('John')
    }
  })

  it('answers OHIF by the Series Instance UID, with NRRD alone or a DICOM SEG', async () => {
    const dicom = await readFile(join(init.data, 'dicom', (await readdir(join(init.data, 'dicom')))[0]!))
    const at = dicom.indexOf(Buffer.from('20000e005549', 'hex'))
    const uid = dicom.toString('latin1', at + 8, at + 8 + dicom.readUInt16LE(at + 6)).replace('\0', '')
    const ask = async (output: string): Promise<Response> => {
      const form = new FormData()
      const extension = { result_extension: '.nrrd', result_dtype: 'uint8', result_compress: false, restore_label_idx: false }
      form.append('params', JSON.stringify({ foreground: [[8, 8, 3]], background: [], ...extension }))
      return await fetch(`${server.url}/infer/prompts?image=${uid}&output=${output}`, { method: 'POST', body: form })
    }
    const { dims } = await voxelsOf(Buffer.from(await (await ask('image')).arrayBuffer()))
    expect(dims[2]).to.equal(6)
    const seg = await ask('dicom_seg')
    expect(seg.headers.get('content-type')).to.equal('application/dicom')
    expect(Buffer.from(await seg.arrayBuffer()).subarray(128, 132).toString()).to.equal('DICM')
    const image = await voxelsOf(Buffer.from(await (await client.send('GET', `/datastore/image?image=${uid}`)).arrayBuffer()))
    expect(image.dims).to.deep.equal(dims)
  })

  it('keeps what is saved, in the home and nowhere else, and offers it again', async () => {
    const before = await readdir(join(init.data, 'masks'))
    const drawn = Array.from({ length: 24 * 20 * 6 }, (_, i) => i < 480 && i % 24 < 9 ? 1 : 0)
    const labels = niftiBytes({ dims: DIMS, values: drawn, sform: SFORM })
    const upload = { field: 'label', name: '/tmp/x/label.nii', bytes: labels }
    const saved = await client.saveLabel(volume, upload, { label_info: [{ name: 'foreground', idx: 1 }] })
    expect(saved.status).to.equal(200)
    const { correction } = await saved.json() as { correction: string }
    const { objects } = await client.datastore<Datastore>()
    expect(objects[volume]!.labels['final']!.ext).to.equal('.nii.gz')
    const back = await client.send('GET', `/datastore/label?label=${volume}&tag=final`)
    expect([...gunzipSync(Buffer.from(await back.arrayBuffer())).subarray(352)]).to.deep.equal([...labels.subarray(352)])
    expect(await readdir(join(init.data, 'masks'))).to.deep.equal(before)
    expect((await client.nextSample('first')).id).not.to.equal(volume)
    const corrections = new Corrections(sitePaths(init.home).privateStore)
    const [kept] = await corrections.list()
    expect(kept).to.include({ id: correction, image: volume, stem: 'Doe^John' })
    expect(kept!.author).to.match(/^[0-9a-f]{16}$/)
    // As OHIF sends them: a byte for each voxel.
    const raw = await client.saveLabel(volume, { field: 'label', name: 'label.bin', bytes: labels.subarray(352) })
    expect(raw.status).to.equal(200)
    for (const [bytes, name, sentence] of [
      [labels.subarray(352, 400), 'label.bin', 'one byte is wanted for each'],
      [labels, 'label.exe', 'format that is not read'],
      [new Uint8Array(400), 'label.nii', 'the label cannot be used'],
      [new Uint8Array(24 * 20 * 6), 'label.bin', 'the label is empty']
    ] as const) {
      const refused = await client.saveLabel(volume, { field: 'label', name, bytes })
      expect(refused.status, name).to.equal(400)
      expect((await refused.json() as { detail: string }).detail).to.include(sentence)
    }
    for (const { id } of await corrections.list()) await corrections.undo(id)
  })

  it('takes a picture as the volume of one slice that viewers make of it', async () => {
    const { objects } = await client.datastore<Datastore>()
    const picture = Object.entries(objects).find(([, { image }]) => image.info.name.endsWith('.png'))![0]
    const { dims } = await voxelsOf((await client.infer('prompts', picture, { foreground: [[20, 5, 0]] })).image)
    expect(dims).to.deep.equal([32, 32, 1])
    const asPicture = await client.infer('segmentation', picture, { result_extension: '.png' })
    expect(asPicture.image.subarray(1, 4).toString()).to.equal('PNG')
    const labels = niftiBytes({ dims: [32, 32, 1], values: Array.from({ length: 32 * 32 }, (_, i) => i < 64 ? 2 : 0), datatype: 512 })
    const saved = await client.saveLabel(picture, { field: 'label', name: 'label.nii', bytes: labels })
    expect(saved.status).to.equal(200)
    const corrections = new Corrections(sitePaths(init.home).privateStore)
    const corrected = await corrections.files(init.data)
    const { slices } = await loadDataset(init.data, { corrected })
    const slice = slices.find(({ id }) => id === 'labelled_1')!
    expect([slice.corrected, ...slice.mask.subarray(63, 65)]).to.deep.equal([true, 1, 0])
    for (const { id } of await corrections.list()) await corrections.undo(id)
  })

  it('refuses what is not done here with a word, and logs no name', async () => {
    for (const [method, path, status] of [
      ['POST', '/train/x', 409], ['GET', '/train/?check_if_running=true', 404], ['GET', '/session/x', 406],
      ['DELETE', `/datastore/label?id=${volume}&tag=final`, 405], ['PUT', '/datastore/image?image=x', 405], ['GET', '/x', 404]
    ] as const) {
      const response = await client.send(method, path)
      expect(response.status, path).to.equal(status)
      expect((await response.json() as { detail: string }).detail, path).to.match(/\w/)
    }
    const log = await (await client.send('GET', '/logs/')).text()
    expect(log).to.include('/infer/:model 200')
    expect(log).not.to.match(new RegExp(`${volume}|John|user-1`))
  })

  it('lets pages in that were named, and no other; listens elsewhere with a token alone, and then asks for it', async () => {
    const asked = async (headers: object): Promise<Response> => await client.send('GET', '/info/', undefined, undefined, headers)
    expect((await asked({ origin: 'https://ohif.hospital' })).headers.get('access-control-allow-origin')).to.equal('https://ohif.hospital')
    expect((await asked({ origin: 'https://elsewhere' })).status).to.equal(403)
    const open = await ViewerServer.start({ ...init, listen: '0.0.0.0' }).then(() => '', (error: unknown) => (error as Error).message)
    expect(open).to.equal(
      '--listen 0.0.0.0 lets other machines in: give --token-file FILE, or listen on 127.0.0.1 behind the hospital\'s reverse proxy'
    )
    const guarded = await ViewerServer.start({ ...init, token: TOKEN })
    try {
      const viewer = new MonaiClient(guarded.url)
      expect(await viewer.authEnabled()).to.equal(true)
      expect((await viewer.send('GET', '/info/')).status).to.equal(401)
      expect((await viewer.authToken('anna', 'wrong')).status).to.equal(401)
      expect((await viewer.authToken('anna', TOKEN)).status).to.equal(200)
      expect((await viewer.info<Info>()).labels).to.deep.equal(['foreground'])
    } finally {
      await guarded.stop()
    }
  })
})
