// What the pages of studies and of runs share: texts, elements, colours, scales, charts.

const $ = id => document.getElementById(id);
const finite = v => Number.isFinite(v);
const clamp = (v, low = 0, high = 1) => Math.min(Math.max(v, low), high);
const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0;
const last = list => list[list.length - 1];

// ---- Texts and elements.

function text(v) {
  if (v === null || v === undefined) return "";
  if (typeof v !== "number") return String(v);
  if (Number.isNaN(v)) return "not finite";
  const size = Math.abs(v);
  if (Number.isInteger(v) && size < 1e7) return String(v);
  const short = Number(v.toPrecision(v < 1 && v > .999 ? 3 - Math.floor(Math.log10(1 - v)) : 5));
  return size < 1e-3 || size >= 1e6 ? short.toExponential().replace("e+", "e") : String(short);
}
function duration(ms) {
  const units = [["d", 86400e3], ["h", 3600e3], ["min", 60e3], ["s", 1e3]], i = units.findIndex(u => ms >= u[1]);
  if (i < 0) return Math.round(ms) + " ms";
  if (i === 3) return text(Number((ms / 1e3).toPrecision(3))) + " s";
  const whole = Math.floor(ms / units[i][1]), rest = Math.floor(ms % units[i][1] / units[i + 1][1]);
  return `${whole} ${units[i][0]}` + (rest ? ` ${rest} ${units[i + 1][0]}` : "");
}
const date = ms => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
function canvas(width, height) {
  const ratio = devicePixelRatio || 1, node = make("canvas", { width: Math.round(width * ratio), height: Math.round(height * ratio), style: `width:${width}px;height:${height}px` });
  node.getContext("2d").scale(ratio, ratio);
  return node;
}
// The emptied body of a section, with a note above; null where there is nothing to show.
function begin(id, visible, note = "") {
  const section = $(id), body = section.querySelector(".body"), legend = section.querySelector(".legend");
  section.hidden = !visible;
  if (section.querySelector("p.soft")) section.querySelector("p.soft").textContent = note;
  body.replaceChildren();
  if (legend) legend.replaceChildren();
  return visible ? body : null;
}

// ---- Colours, of the page's style in light and dark.

let colors = {}, shades = [];
function readColors() {
  const style = getComputedStyle(document.documentElement), value = name => style.getPropertyValue("--" + name).trim();
  for (const name of value("names").split(" ")) colors[name] = value(name);
  const stops = value("ramp").split(",").map(s => [1, 3, 5].map(i => parseInt(s.trim().slice(i, i + 2), 16)));
  shades = Array.from({ length: 64 }, (_, k) => {
    const x = k / 64 * (stops.length - 1), i = Math.floor(x);
    return "rgb(" + stops[i].map((c, j) => Math.round(c + (stops[i + 1][j] - c) * (x - i))) + ")";
  });
}
const shade = part => shades[Math.min(63, Math.floor(part * 64))];  // of the ramp, from 0 to 1

// ---- Scales take values to [0, 1]; `cell` is the width of a choice, where there are choices.

const warps = { linear: [v => v, z => z], log: [Math.log, Math.exp], log_one_minus: [v => -Math.log1p(-v), z => -Math.expm1(-z)] };
function linearTicks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map(f => f * power).find(s => s >= raw * .999);
  const from = Math.ceil(low / step - 1e-9), out = [];
  for (let i = 0; i <= count + 1 && (from + i) * step <= high + step * 1e-9; ++i) out.push(Number(((from + i) * step).toPrecision(12)));
  return out;
}
function logTicks(low, high, count) {
  if (high / low < 4) return linearTicks(low, high, count);
  const decades = Math.log10(high / low), factors = decades > 2.5 ? [1] : [1, 2, 5], out = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.log10(high); ++e)
    for (const f of factors) { const v = Number(`${f}e${e}`); if (v >= low * .999 && v <= high * 1.001) out.push(v); }
  const every = Math.ceil(out.length / count);
  return out.filter((_, i) => i % every === 0);
}
function scale(kind, low, high, count = 6) {
  const warp = warps[kind][0], a = warp(low), b = warp(high);
  const ticks = !(high > low) ? [low] : kind === "linear" ? linearTicks(low, high, count) : kind === "log" ? logTicks(low, high, count)
    : logTicks(1 - high, 1 - low, count).map(v => Number((1 - v).toPrecision(12))).reverse();
  const at = v => v === Infinity ? 1 : v === -Infinity ? 0 : b > a ? clamp((warp(v) - a) / (b - a)) : .5;
  return { at, ticks: ticks.map(v => [at(v), text(v)]), cell: 0, note: "" };
}
const whole = s => ({ ...s, ticks: s.ticks.filter(([, name]) => Number.isInteger(Number(name))) });

// ---- A chart: axes on one canvas, what comes and goes with the pointer on another above it.

class Chart {
  constructor(host, { height, x, y, xLabel = "", label, margin, frame }) {
    this.node = make("div", { class: "plot", tabindex: 0, role: "img", "aria-label": label });
    host.append(this.node);
    Object.assign(this, { x, y, xLabel, height, width: Math.max(this.node.clientWidth, 160) });
    this.base = canvas(this.width, height);
    this.over = canvas(this.width, height);
    this.node.append(this.base, this.over);
    const c = this.base.getContext("2d");
    c.font = "11.5px system-ui, sans-serif";
    const room = y ? Math.max(...y.ticks.map(([, name]) => c.measureText(name).width)) : 0;
    this.margin = margin ?? { left: Math.ceil(room) + 10, right: 12, top: 8, bottom: xLabel ? 38 : 22 };
    this.frame = frame ?? this.axes;
  }
  px(u) { return this.margin.left + u * (this.width - this.margin.left - this.margin.right); }
  py(u) { return this.height - this.margin.bottom - u * (this.height - this.margin.top - this.margin.bottom); }

  // Points are x, y, x, y, ... in pixels, NaN where the line is interrupted.
  line(c, p, width, color) {
    c.beginPath();
    for (let i = 0, pen = false; i < p.length; i += 2) {
      if (pen && p[i + 1] === p[i + 1]) c.lineTo(p[i], p[i + 1]); else c.moveTo(p[i], p[i + 1]);
      pen = p[i + 1] === p[i + 1];
    }
    c.strokeStyle = color;
    c.lineWidth = width;
    c.stroke();
  }
  axes(c) {
    const left = this.px(0), right = this.px(1), bottom = this.py(0);
    c.fillStyle = colors.soft; c.strokeStyle = colors.line; c.lineWidth = 1;
    c.textAlign = "right"; c.textBaseline = "middle";
    c.beginPath();
    for (const [u, name] of this.y.ticks) {
      c.moveTo(left, Math.round(this.py(u)) + .5); c.lineTo(right, Math.round(this.py(u)) + .5);
      c.fillText(name, left - 6, this.py(u));
    }
    c.moveTo(left, bottom + .5); c.lineTo(right, bottom + .5);
    c.stroke();
    c.textAlign = "center"; c.textBaseline = "top";
    let free = -Infinity;
    for (const [u, name] of this.x.ticks) {
      const shown = this.x.cell ? fit(c, name, this.x.cell * (right - left) - 4) : name, half = c.measureText(shown).width / 2;
      const at = clamp(this.px(u), half, this.width - half);
      if (at - half < free) continue;
      c.fillText(shown, at, bottom + 6);
      free = at + half + 6;
    }
    if (this.xLabel) c.fillText(fit(c, this.xLabel, right - left), (left + right) / 2, bottom + 23);
  }
}
function fit(c, name, width) {
  if (c.measureText(name).width <= width) return name;
  let n = name.length;
  while (n > 1 && c.measureText(name.slice(0, n) + "…").width > width) --n;
  return name.slice(0, n) + "…";
}

// ---- The text beside the pointer; the width, the colours and the age of the page.

function placeTip(x, y) {
  const tip = $("tip");
  tip.hidden = x === undefined;
  if (tip.hidden) return;
  const { offsetWidth: w, offsetHeight: h } = tip;
  tip.style.left = clamp(x + 14 + w > innerWidth ? x - 14 - w : x + 14, 4, Math.max(4, innerWidth - w - 4)) + "px";
  tip.style.top = clamp(y + 14 + h > innerHeight ? y - 14 - h : y + 14, 4, Math.max(4, innerHeight - h - 4)) + "px";
}
// draw() now, and again where colours or the width change; leave() where the pointer leaves the charts.
function keepDrawn(draw, leave) {
  addEventListener("keydown", event => event.key === "Escape" && leave());
  addEventListener("scroll", () => leave(), { passive: true });
  addEventListener("pointerdown", event => event.target.closest(".plot") ?? leave());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  let width = document.documentElement.clientWidth, resized = 0;
  addEventListener("resize", () => {
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    clearTimeout(resized);
    resized = setTimeout(draw, 100);
  });
  draw();
}
// A box to load the page anew again and again, for what is still going on.
function offerReload(visible) {
  $("again").hidden = !visible;
  $("reload").checked = location.hash === "#reload";
  $("reload").addEventListener("change", () => history.replaceState(null, "", $("reload").checked ? "#reload" : "#"));
  setInterval(() => { if ($("reload").checked) location.reload(); }, 10000);
}
