// Draws a Plotly figure in place. Plotly.react keeps the node, so zoom, hover and hidden series survive a
// rerun; Streamlit's own chart element is built anew at each change.

// One colour, one meaning, on every page. Chosen to stay apart for colour-blind eyes and against both
// backgrounds; a figure names the role ("token:kv"), never the colour.
const PALETTES = {
  light: {
    weights: "#2563EB", kv: "#0D9488", activation: "#D97706", runtime: "#7C3AED", graph: "#DB2777",
    free: "#E2E8F0", limit: "#DC2626", warn: "#F59E0B", text: "#0F172A", muted: "#64748B",
  },
  dark: {
    weights: "#60A5FA", kv: "#2DD4BF", activation: "#FBBF24", runtime: "#A78BFA", graph: "#F472B6",
    free: "#334155", limit: "#F87171", warn: "#FBBF24", text: "#F1F5F9", muted: "#94A3B8",
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

function isDark(color) {
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
  const label = { color: theme.text, family: theme.font }
  const axis = {
    automargin: true, gridcolor: theme.border, linecolor: theme.border, zerolinecolor: theme.border,
    tickcolor: theme.border,
  }
  const axes = ["xaxis", "yaxis", ...Object.keys(layout).filter(name => /^[xy]axis\d+$/.test(name))]
  for (const name of axes) layout[name] = { ...axis, ...layout[name] }
  const shapes = (layout.shapes ?? []).map(shape => ({
    ...shape, line: { color: theme.text, ...shape.line },
  }))
  return [data, {
    colorway: theme.colors.split(","),
    uirevision: "keep",
    margin: { l: 8, r: 8, t: layout.title?.text ? 40 : 12, b: 8 },
    ...layout,
    title: { x: 0, xref: "paper", font: { size: 15 }, ...layout.title },
    shapes,
    autosize: true,
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { size: 12, ...label, ...layout.font },
    legend: { bgcolor: "rgba(0,0,0,0)", ...layout.legend },
    hoverlabel: { bgcolor: theme.background, bordercolor: theme.border, font: label, ...layout.hoverlabel },
  }]
}

export default async function ({ data, parentElement }) {
  const node = parentElement.querySelector(".planner-plot")
  const theme = themeOf(node)
  const spec = new TextDecoder().decode(data)
  // Each rerun of the page comes here; most leave most figures as they were.
  const state = spec + JSON.stringify(theme)
  if (node.state === state) return node.cleanup
  node.state = state

  const { alt, height, address, figure } = JSON.parse(spec)
  node.setAttribute("role", "img")
  node.setAttribute("aria-label", alt)
  node.style.height = `${height}px`
  const Plotly = window.Plotly ?? await plotly(address)
  if (node.state !== state) return node.cleanup
  // Zooming with the wheel would catch a person who scrolls the page; a double click resets a zoom.
  await Plotly.react(node, ...themed(figure, theme), { displayModeBar: false, scrollZoom: false })
  node.dataset.drawn = String(Number(node.dataset.drawn ?? 0) + 1)
  if (!node.cleanup) {
    const observer = new ResizeObserver(() => node.clientWidth && Plotly.Plots.resize(node))
    observer.observe(node)
    node.cleanup = () => {
      observer.disconnect()
      Plotly.purge(node)
    }
  }
  return node.cleanup
}
