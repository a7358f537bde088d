import { scanDataset } from './src/dataset/index.ts'
const t = performance.now()
const c = process.cpuUsage()
const d = await scanDataset(process.argv[2]!)
const u = process.cpuUsage(c)
console.log(d.slices.length, d.problems.length, 'ms', Math.round(performance.now() - t), 'cpu ms', Math.round((u.user + u.system) / 1000), 'rss MiB', Math.round(process.resourceUsage().maxRSS / 1024))
