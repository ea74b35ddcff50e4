// Draws a Plotly figure in place. Plotly.react keeps the node, so zoom, hover and hidden series survive a
// rerun; Streamlit's own chart element is built anew at each change.

// One colour, one meaning, on every page; a figure names the role ("token:kv"), never the colour. A test
// holds the parts of memory apart for colour-blind eyes, and against both backgrounds; first to fifth are for
// groups that have no colour of their own, such as vendors; low to unknown are the states of what is measured.
const PALETTES = {
  light: {
    weights: "#1D4ED8", kv: "#0FA294", activation: "#D47F00", runtime: "#9B7BF3", graph: "#861657",
    gradient: "#0FA294", optimizer: "#861657", logits: "#573605", buffers: "#070788",
    free: "#E2E8F0", limit: "#C81E1E", warn: "#F59E0B", text: "#0F172A", muted: "#64748B",
    first: "#1D4ED8", second: "#D47F00", third: "#861657", fourth: "#0FA294", fifth: "#9B7BF3",
    low: "#5B7FE8", ok: "#9ADBC5", warning: "#F0A020", bad: "#A3123F", unknown: "#94A3B8", area: "rgba(29, 78, 216, 0.14)", ground: "rgba(255, 255, 255, 0.8)",
  },
  dark: {
    weights: "#3B82F6", kv: "#2DD4BF", activation: "#FBBF24", runtime: "#C4B5FD", graph: "#E0358C",
    gradient: "#2DD4BF", optimizer: "#E0358C", logits: "#E9DBA5", buffers: "#75833F",
    free: "#334155", limit: "#FF8A80", warn: "#FBBF24", text: "#F1F5F9", muted: "#94A3B8",
    first: "#3B82F6", second: "#FBBF24", third: "#E0358C", fourth: "#2DD4BF", fifth: "#C4B5FD",
    low: "#6C8CF5", ok: "#14532D", warning: "#FBBF24", bad: "#FF6B81", unknown: "#64748B", area: "rgba(59, 130, 246, 0.22)", ground: "rgba(15, 23, 42, 0.8)",
  },
}

let loading
function plotly(address) {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script")
    script.src = new URL(address, base()).href
    script.onload = () => resolve(window.Plotly)
    script.onerror = () => {
      loading = undefined
      script.remove()
      reject(new Error(`cannot load ${script.src}`))
    }
    document.head.append(script)
  })
  return loading
}

// Where the dashboard lives, also below a path and behind a proxy: where its own scripts came from.
function base() {
  const own = [...document.querySelectorAll("script[src]")].find(script => script.src.includes("/static/js/"))
  return own ? new URL("../../", own.src) : document.baseURI
}

const darkness = new Map()
function isDark(color) {
  if (!darkness.has(color)) darkness.set(color, readDarkness(color))
  return darkness.get(color)
}

function readDarkness(color) {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })
  canvas.fillStyle = color
  canvas.fillRect(0, 0, 1, 1)
  const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128
}

function themeOf(element) {
  const style = getComputedStyle(element)
  const value = name => style.getPropertyValue(`--st-${name}`).trim()
  const theme = {
    font: value("font"), text: value("text-color"), border: value("border-color"),
    background: value("background-color"), colors: value("chart-categorical-colors"),
  }
  theme.palette = isDark(theme.background) ? PALETTES.dark : PALETTES.light
  return theme
}

function withColors(node, palette) {
  if (typeof node === "string") return node.startsWith("token:") ? palette[node.slice(6)] ?? palette.text : node
  if (Array.isArray(node)) return node.map(item => withColors(item, palette))
  if (node === null || typeof node !== "object") return node
  return Object.fromEntries(Object.entries(node).map(([name, value]) => [name, withColors(value, palette)]))
}

function themed(figure, theme) {
  const { data = [], layout = {} } = withColors(figure, theme.palette)
  const title = typeof layout.title === "string" ? { text: layout.title } : layout.title
  const label = { color: theme.text, family: theme.font }
  const axis = {
    automargin: true, gridcolor: theme.border, linecolor: theme.border, zerolinecolor: theme.border,
    tickcolor: theme.border,
  }
  for (const name of new Set(["xaxis", "yaxis", ...axesOf(layout)])) layout[name] = { ...axis, ...layout[name] }
  const shapes = (layout.shapes ?? []).map(shape => ({
    ...shape, line: { color: theme.text, ...shape.line },
  }))
  return [data, {
    colorway: theme.colors.split(","),
    uirevision: "keep",
    margin: { l: 8, r: 8, t: title?.text ? 40 : 12, b: 8 },
    ...layout,
    title: { x: 0, xref: "paper", font: { size: 15 }, ...title },
    shapes,
    autosize: true,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { size: 12, ...label, ...layout.font },
    legend: { bgcolor: "rgba(0,0,0,0)", ...layout.legend },
    hoverlabel: { bgcolor: theme.background, bordercolor: theme.border, font: label, ...layout.hoverlabel },
  }]
}

const axesOf = layout => Object.keys(layout).filter(name => /^[xy]axis\d*$/.test(name))

// Put the ranges to which the user has zoomed into the layout of the next figure. Plotly's own uirevision keeps
// a range only while each figure asks for the same one as before: an axis that grows with its numbers would
// jump. A figure that says something else, by its uirevision or by what its axes are, begins at its own ranges.
function keepZoom(node, layout) {
  const axes = axesOf(layout)
  const means = ({ type, title }) => [type, title?.text ?? title]
  const kind = JSON.stringify([layout.uirevision, axes.map(name => [name, means(layout[name])])])
  if (node.kind !== kind) Object.assign(node, { kind, zoom: {} })
  for (const name of axes) {
    const zoom = node.zoom[name] && { range: node.zoom[name].slice(), autorange: false }
    layout[name] = { ...layout[name], ...zoom, uirevision: false }
  }
}

// Remember where the user zooms, until a double click asks for the ranges of the figure again.
function rememberZoom(node) {
  node.on("plotly_relayout", change => {
    for (const key of Object.keys(change)) {
      const [, name] = /^([xy]axis\d*)\.range/.exec(key) ?? []
      if (name) node.zoom[name] = node.layout[name].range.slice()
    }
  })
  node.on("plotly_doubleclick", () => {
    node.zoom = {}
    draw(node, node.spec, themeOf(node))
  })
}

// A page's figures are drawn one to a frame, in its order: the first is on screen before the second is begun.
let turn = Promise.resolve()
function inTurn(work) {
  const mine = turn.then(work)
  turn = mine.catch(() => {}).then(painted)
  return mine
}

function painted() {
  return new Promise(done => {
    requestAnimationFrame(() => requestAnimationFrame(done))
    setTimeout(done, 100) // a hidden window has no frames
  })
}

async function draw(node, spec, theme) {
  const { alt, height, address, figure, legend } = JSON.parse(spec)
  node.setAttribute("role", "img")
  node.setAttribute("aria-label", alt)
  if (node.style.height !== `${height}px`) node.style.height = `${height}px`
  const Plotly = window.Plotly ?? await plotly(address)
  await inTurn(() => react(Plotly, node, spec, themed(figure, theme)))
  // After the figure, whose measuring would otherwise wait for the list to be laid out.
  explain(node.nextElementSibling, legend, theme)
}

// Write the legend below the figure: a list, which wraps where the screen is narrow.
function explain(list, legend, theme) {
  list.hidden = !legend.length
  Object.assign(list.style, {
    display: legend.length ? "flex" : "none", flexWrap: "wrap", gap: "2px 18px", margin: "10px 0 0", padding: "0",
    listStyle: "none", fontSize: "13px", color: theme.text, fontFamily: theme.font,
  })
  list.replaceChildren(...legend.map(({ color, opacity, text }) => {
    const item = document.createElement("li")
    const swatch = document.createElement("span")
    Object.assign(item.style, { display: "flex", alignItems: "center", gap: "6px", margin: "0" })
    Object.assign(swatch.style, {
      width: "11px", height: "11px", borderRadius: "2px", background: withColors(color, theme.palette), opacity,
    })
    swatch.setAttribute("aria-hidden", "true")
    item.append(swatch, text)
    return item
  }))
}

async function react(Plotly, node, spec, figure) {
  if (node.spec !== spec) return // a later run has come in the meantime
  keepZoom(node, figure[1])
  // No mode bar: it offers to upload the chart. No zoom by wheel: it would catch who scrolls the page. A double
  // click is ours: Plotly would return to the ranges of the first figure.
  await Plotly.react(node, ...figure, { displayModeBar: false, scrollZoom: false, doubleClick: false })
  node.dataset.drawn = String(Number(node.dataset.drawn ?? 0) + 1)
  if (node.cleanup) return
  node.cleanup = follow(node, Plotly)
  rememberZoom(node)
  tellClicks(node)
}

// Tell the page which point was clicked: the id that the figure gives it.
function tellClicks(node) {
  node.on("plotly_click", ({ points: [point] }) => {
    if (node.tell && point?.customdata) node.tell("picked", point.customdata)
  })
}

// Keep the plot as wide as its place. The function that is returned ends this.
function follow(node, Plotly) {
  let width = node.clientWidth
  const observer = new ResizeObserver(() => {
    if (!node.clientWidth || node.clientWidth === width) return
    width = node.clientWidth
    Plotly.Plots.resize(node)
  })
  observer.observe(node)
  return () => {
    // Streamlit also calls this when a run was overtaken by the next: the plot is then still in use.
    if (node.isConnected) return
    observer.disconnect()
    Plotly.purge(node)
  }
}

export default async function ({ data, parentElement, setTriggerValue }) {
  const node = parentElement.querySelector(".planner-plot")
  node.tell = setTriggerValue
  const theme = themeOf(node)
  const spec = new TextDecoder().decode(data)
  const colors = JSON.stringify(theme)
  // Each run of the page comes here; most leave most figures as they were.
  if (node.spec === spec && node.colors === colors) return node.cleanup
  Object.assign(node, { spec, colors })
  try {
    await draw(node, spec, theme)
  } catch (error) {
    node.spec = undefined // so that the next run tries again
    throw error
  }
  return node.cleanup
}
