/** Outlines the brain on one slice with the bundled base model, from a box, and writes the mask as a PNG. */
import { rm } from 'node:fs/promises'
import { createFederation, openPredictor } from 'consilium'

const image = new URL('../samples/colin27/hospital-a/images/colin27_080.png', import.meta.url).pathname
const home = 'out/examples/predict'
const out = 'out/examples/mask.png'

await rm(home, { recursive: true, force: true })
await createFederation({ home, name: 'Prediction alone', rounds: 1 })
// An untrained home has the base model alone; a trained one answers with its own experts under 'personal', the default.
const predictor = await openPredictor({ home, mode: 'frozen' })
try {
  const { foreground, iou } = await predictor.predict({ image, out, prompt: { boxes: [[8, 8, 112, 136]] } })
  console.log(`${out}: ${foreground} pixels, expected IoU ${iou?.toFixed(2)}`)
} finally {
  await predictor.close()
}
