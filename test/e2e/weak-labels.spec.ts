import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import type { Summary } from '../../src/node/summary.ts'
import { linesOf, ROOT } from '../unit/documents/markdown.ts'
import { consilium, type Ended } from './cli.ts'

const SAMPLE = join(ROOT, 'samples/colin27/hospital-a')
const PAGE = 'docs/data.md'
/** As the page has it. */
const [MASKS, BOXES] = [10, 200]
const MASKED_PATIENTS = 5
const LABEL = 'brain'
/** On a crowded machine anything may take long. */
const PATIENCE = 1_800_000

interface Drawing {
  readonly name: string
  readonly image: Buffer
  readonly width: number
  readonly height: number
  /** Corners, x and y in turn, down the left edge and up the right one. */
  readonly outline: readonly (readonly [number, number])[]
  readonly isOutlined: boolean
}

/** As many pictures as the page speaks of, no two alike; those that are outlined are of patients of their own. */
async function drawings (): Promise<Drawing[]> {
  const stems = (await readdir(join(SAMPLE, 'masks'))).sort()
  const outlined = await Promise.all(stems.map(async (stem) => ({ stem, outline: await outlineOf(join(SAMPLE, 'masks', stem)) })))
  const usable = outlined.filter(({ outline }) => outline.length > 8)
  return await Promise.all(Array.from({ length: MASKS + BOXES }, async (_, i): Promise<Drawing> => {
    const { stem, outline } = usable[i % usable.length]!
    const isOutlined = i < MASKS
    const patient = isOutlined ? `P${i % MASKED_PATIENTS}` : `Q${i % 20}`
    const picture = sharp(join(SAMPLE, 'images', stem))
    const { width, height } = await picture.metadata()
    const image = await picture.linear(1 - i / 500, 0).png().toBuffer()
    return { name: `${patient}_${String(i).padStart(3, '0')}`, image, width, height, outline, isOutlined }
  }))
}

async function outlineOf (mask: string): Promise<(readonly [number, number])[]> {
  const { data, info: { width, height } } = await sharp(mask).greyscale().raw().toBuffer({ resolveWithObject: true })
  const rows = Array.from({ length: height }, (_, y) => {
    const row = [...data.subarray(y * width, (y + 1) * width)]
    return { y, left: row.findIndex((each) => each > 0), right: row.findLastIndex((each) => each > 0) }
  }).filter(({ left }) => left >= 0)
  return [...rows.map(({ left, y }) => [left, y] as const), ...rows.toReversed().map(({ right, y }) => [right, y] as const)]
}

function boundsOf ({ outline }: Drawing): readonly [x0: number, y0: number, x1: number, y1: number] {
  const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)]
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs) + 1, Math.max(...ys) + 1]
}

/** A file beside each picture, as labelme saves it. */
async function asLabelme (folder: string, all: readonly Drawing[]): Promise<void> {
  for (const drawing of all) {
    const { name, isOutlined, outline, width, height } = drawing
    const [x0, y0, x1, y1] = boundsOf(drawing)
    const shape = isOutlined
      ? { label: LABEL, points: outline, shape_type: 'polygon' }
      : { label: LABEL, points: [[x0, y0], [x1, y1]], shape_type: 'rectangle' }
    const of = { imagePath: `${name}.png`, imageData: null, imageHeight: height, imageWidth: width }
    const file = { version: '5.5.0', flags: {}, shapes: [shape], ...of }
    await writeFile(join(folder, 'images', `${name}.json`), JSON.stringify(file))
  }
}

/** One file, as CVAT exports "COCO 1.0". */
async function asCoco (folder: string, all: readonly Drawing[]): Promise<void> {
  const annotations = all.map((drawing, i) => {
    const [x0, y0, x1, y1] = boundsOf(drawing)
    const segmentation = drawing.isOutlined ? [drawing.outline.flat()] : []
    return { id: i + 1, image_id: i + 1, category_id: 1, iscrowd: 0, segmentation, bbox: [x0, y0, x1 - x0, y1 - y0] }
  })
  const images = all.map(({ name, width, height }, i) => ({ id: i + 1, file_name: `${name}.png`, width, height }))
  const file = { images, categories: [{ id: 1, name: LABEL, supercategory: '' }], annotations }
  await writeFile(join(folder, 'annotations.json'), JSON.stringify(file))
}

describe(`ten masks and two hundred boxes, by the lines of ${PAGE}`, function () {
  this.timeout(PATIENCE)
  const path = /^consilium .*(\/data\/ultrasound|--method partial)/
  const linesIn = (page: string): string[] => linesOf(page).filter(({ fenced, line }) => fenced && path.test(line)).map(({ line }) => line)
  const lines = linesIn(PAGE)
  let folder: string
  let env: Record<string, string>

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-weak-'))
    env = { HOME: folder, CONSILIUM_THREADS: '1' }
    const all = await drawings()
    for (const [name, write] of [['labelme', asLabelme], ['coco', asCoco]] as const) {
      await mkdir(join(folder, name, 'images'), { recursive: true })
      for (const drawing of all) await writeFile(join(folder, name, 'images', `${drawing.name}.png`), drawing.image)
      await write(join(folder, name), all)
    }
  })
  after(async () => { await rm(folder, { recursive: true }) })

  /** As it stands there, with this machine's folders, any free port, and a training of two short rounds. */
  async function type (line: string, data: 'labelme' | 'coco', ...more: string[]): Promise<Ended> {
    const here: Record<string, string> = { '/data/ultrasound': join(folder, data), 'marks.png': join(folder, 'marks.png') }
    const words = (line.match(/"[^"]*"|\S+/g) ?? []).slice(1).map((word) => word.replaceAll('"', '')).map((word) => here[word] ?? word)
    const ended = await consilium([...words, ...more], { env })
    expect(ended.code, `${line}: ${ended.stderr}`).to.equal(0)
    return ended
  }

  it('are found and counted alike, as labelme and as COCO has them', async () => {
    expect(lines.map((line) => line.split(' ').slice(1, 3).join(' ')), 'the lines of the page').to.deep.equal(
      ['data check', 'federation create', 'start --data']
    )
    expect(linesIn('README.md'), 'the same in README.md').to.deep.equal(lines)
    const said = await Promise.all((['labelme', 'coco'] as const).map(async (form) => await type(lines[0]!, form)))
    for (const { stdout } of said) {
      expect(stdout).to.include(`${MASKS} whole masks, ${BOXES} with boxes`).and.to.match(/Dice is measured on 1 subject with masks/)
    }
    expect((await stat(join(folder, 'marks.png'))).size).to.be.above(1_000)
  })

  it('train a site that is scored on its masks, and whose file names are in no log', async () => {
    await type(lines[1]!, 'labelme', '--rounds', '2')
    const said = await type(lines[2]!, 'labelme', '--alone', '--listen', '/ip4/127.0.0.1/tcp/0')
    expect(said.stdout).to.match(/2 rounds .* Dice frozen 0\.\d+, global 0\.\d+/)
    const home = join(folder, '.consilium')
    const { dice, validationImages } = JSON.parse(await readFile(join(home, 'summary.json'), 'utf8')) as Summary
    expect(validationImages).to.equal(MASKS / MASKED_PATIENTS)
    expect(dice!.global).to.be.within(0, 1)
    const files = await readdir(join(folder, 'labelme/images'))
    const names = files.filter((name) => name.endsWith('.png')).map((name) => basename(name, '.png'))
    expect(names).to.have.length(MASKS + BOXES)
    expect(names.filter((name) => said.stderr.includes(name) || said.stdout.includes(name))).to.deep.equal([])
  })
})
