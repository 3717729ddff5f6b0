// Draws a crystal on a canvas: shaded spheres, bonds and cell edges, farthest first.
const Viewer = (() => {
  const sprites = new Map();
  const sprite_size = 128;

  function mix(colour, other, share) {
    const probe = document.createElement("canvas").getContext("2d");
    const rgb = (text) => {
      probe.fillStyle = text;
      probe.fillRect(0, 0, 1, 1);
      return probe.getImageData(0, 0, 1, 1).data;
    };
    const a = rgb(colour), b = rgb(other);
    return `rgb(${[0, 1, 2].map((k) => Math.round(a[k] + share * (b[k] - a[k]))).join(",")})`;
  }

  // A lit ball, drawn once per colour.
  function sprite(colour) {
    if (sprites.has(colour)) return sprites.get(colour);
    const canvas = el("canvas", { width: sprite_size, height: sprite_size });
    const context = canvas.getContext("2d");
    const r = sprite_size / 2;
    const light = context.createRadialGradient(0.66 * r, 0.58 * r, 0.02 * r, r, r, r);
    light.addColorStop(0, mix(colour, "#ffffff", 0.85));
    light.addColorStop(0.18, mix(colour, "#ffffff", 0.35));
    light.addColorStop(0.55, colour);
    light.addColorStop(0.88, mix(colour, "#10151a", 0.45));
    light.addColorStop(1, mix(colour, "#10151a", 0.72));
    context.fillStyle = light;
    context.beginPath();
    context.arc(r, r, r - 0.5, 0, 2 * Math.PI);
    context.fill();
    const shades = { canvas, base: colour, dark: mix(colour, "#10151a", 0.55), light: mix(colour, "#ffffff", 0.4) };
    sprites.set(colour, shades);
    return shades;
  }

  const style_of = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // Projects the scene and sorts its pieces by depth. `view` has rotation and zoom.
  function pieces_of(scene, view, size) {
    const distance = 5 * scene.reach;
    const scale = (0.47 * size * view.zoom) / scene.reach;
    const project = (position) => {
      const [x, y, z] = Crystal.apply(view.rotation, position);
      const f = (scale * distance) / (distance - z);
      return { x: size / 2 + f * x, y: size / 2 - f * y, z, f };
    };
    const pieces = scene.atoms.map((atom) => {
      const p = project(atom.position);
      return { kind: "atom", z: p.z, x: p.x, y: p.y, r: atom.radius * p.f, shades: sprite(Elements.colour(atom.symbol)) };
    });
    for (const [i, j] of scene.bonds) add_bond(pieces, scene.atoms[i], scene.atoms[j], project);
    for (const edge of scene.edges) add_edge(pieces, edge, project);
    return pieces.sort((a, b) => a.z - b.z);
  }

  // Two halves, from each sphere's surface to the middle, each in its atom's colour.
  function add_bond(pieces, first, second, project) {
    const along = Crystal.subtract(second.position, first.position);
    const length = Crystal.length(along);
    const at = (share) => first.position.map((x, k) => x + share * along[k]);
    const middle = 0.5 + (first.radius - second.radius) / (2 * length);
    for (const [atom, from, to] of [[first, 0.85 * first.radius / length, middle],
                                    [second, 1 - 0.85 * second.radius / length, middle]]) {
      const p = project(at(from)), q = project(at(to));
      pieces.push({ kind: "bond", z: (p.z + q.z) / 2, p, q, width: 0.2 * p.f, shades: sprite(Elements.colour(atom.symbol)) });
    }
  }

  // Short pieces, so that an edge can pass in front of one atom and behind another.
  function add_edge(pieces, edge, project) {
    const parts = 14;
    const at = (share) => edge.from.map((x, k) => x + share * (edge.to[k] - x));
    for (let i = 0; i < parts; ++i) {
      const p = project(at(i / parts)), q = project(at((i + 1) / parts));
      pieces.push({ kind: "edge", z: (p.z + q.z) / 2, p, q });
    }
    if (edge.axis) {
      const tip = project(at(1.0)), root = project(at(0.88));
      pieces.push({ kind: "name", z: tip.z + 1e3, x: tip.x + 1.1 * (tip.x - root.x), y: tip.y + 1.1 * (tip.y - root.y), text: edge.axis });
    }
  }

  function line(context, p, q, width, colour, shift = 0) {
    const length = Math.hypot(q.x - p.x, q.y - p.y) || 1;
    const nx = (-(q.y - p.y) / length) * shift, ny = ((q.x - p.x) / length) * shift;
    const sign = ny > 0 ? -1 : 1;  // the light comes from above
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(p.x + sign * nx, p.y + sign * ny);
    context.lineTo(q.x + sign * nx, q.y + sign * ny);
    context.stroke();
  }

  function paint(canvas, scene, view, options = {}) {
    const ratio = window.devicePixelRatio || 1;
    const size = options.size || canvas.clientWidth || 300;
    if (canvas.width !== Math.round(size * ratio)) canvas.width = canvas.height = Math.round(size * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size, size);
    context.lineCap = "round";
    const ink = style_of("--muted");
    const fog = style_of("--panel");
    for (const piece of pieces_of(scene, view, size)) {
      if (piece.kind === "atom") {
        context.drawImage(piece.shades.canvas, piece.x - piece.r, piece.y - piece.r, 2 * piece.r, 2 * piece.r);
        haze(context, piece, fog, scene.reach);
      } else if (piece.kind === "bond") {
        line(context, piece.p, piece.q, piece.width, piece.shades.dark);
        line(context, piece.p, piece.q, 0.7 * piece.width, piece.shades.base, 0.06 * piece.width);
        line(context, piece.p, piece.q, 0.2 * piece.width, piece.shades.light, 0.2 * piece.width);
      } else if (piece.kind === "edge") {
        line(context, piece.p, piece.q, options.small ? 0.6 : 1.1, ink);
      } else if (!options.small) {
        context.fillStyle = ink;
        context.font = "italic 600 13px " + style_of("--sans");
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillText(piece.text, piece.x, piece.y);
      }
    }
  }

  // Far atoms fade towards the background: depth without shadows.
  function haze(context, piece, colour, reach) {
    const depth = Math.min(1, Math.max(0, (reach - piece.z) / (2 * reach)));
    context.globalAlpha = 0.42 * depth * depth;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(piece.x, piece.y, piece.r, 0, 2 * Math.PI);
    context.fill();
    context.globalAlpha = 1;
  }

  // Still picture for a table row.
  function thumbnail(canvas, structure, size) {
    if (!Crystal.is_drawable(structure)) return;
    paint(canvas, Crystal.scene(structure, 1), { rotation: Crystal.orientation(structure.cell), zoom: 1 }, { size, small: true });
  }

  // Picture that turns by itself, by dragging and by the arrow keys.
  function interactive(structure, description) {
    if (!Crystal.is_drawable(structure)) return el("p", { class: "quiet" }, t("no_structure"));
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const state = { turning: !still, repeats: 1, scene: Crystal.scene(structure, 1), visible: true,
                    view: { rotation: Crystal.orientation(structure.cell), zoom: 1 } };
    const canvas = el("canvas", { class: "viewer", role: "img", tabindex: "0", "aria-label": description + " " + t("viewer_keys") });
    const draw = () => { if (canvas.isConnected) paint(canvas, state.scene, state.view); };
    const turn = (right, down) => {
      state.view.rotation = Crystal.multiply(Crystal.turn_x(down), Crystal.multiply(Crystal.turn_y(right), state.view.rotation));
      draw();
    };
    const zoom = (factor) => { state.view.zoom = Math.min(5, Math.max(0.5, state.view.zoom * factor)); draw(); };
    listen(canvas, state, turn, zoom);
    animate(canvas, state, turn);
    const observer = new ResizeObserver(draw);
    observer.observe(canvas);
    Dom.at_end(() => observer.disconnect());
    return el("div", { class: "viewer-box" }, canvas, legend(structure), controls(state, structure, draw));
  }

  function listen(canvas, state, turn, zoom) {
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!last) return;
      turn((event.clientX - last[0]) * 0.01, (event.clientY - last[1]) * 0.01);
      last = [event.clientX, event.clientY];
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = null; });
    state.held = () => last !== null;
    const keys = { ArrowLeft: () => turn(-0.12, 0), ArrowRight: () => turn(0.12, 0), ArrowUp: () => turn(0, -0.12),
                   ArrowDown: () => turn(0, 0.12), "+": () => zoom(1.15), "-": () => zoom(1 / 1.15) };
    canvas.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
  }

  function animate(canvas, state, turn) {
    let before = 0, running = true;
    const watch = new IntersectionObserver((entries) => { state.visible = entries[entries.length - 1].isIntersecting; });
    watch.observe(canvas);
    const frame = (now) => {
      if (!running) return;
      const passed = Math.min(60, now - before);
      before = now;
      if (state.turning && state.visible && !state.held()) turn(passed * 0.00022, 0);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    Dom.at_end(() => { running = false; watch.disconnect(); });
  }

  function controls(state, structure, draw) {
    const turning = el("button", { type: "button", "aria-pressed": String(state.turning), onclick: () => {
      state.turning = !state.turning;
      turning.setAttribute("aria-pressed", String(state.turning));
    } }, t("turn"));
    const supercell = el("button", { type: "button", "aria-pressed": "false", onclick: () => {
      state.repeats = state.repeats === 1 ? 2 : 1;
      state.scene = Crystal.scene(structure, state.repeats);
      supercell.setAttribute("aria-pressed", String(state.repeats === 2));
      draw();
    } }, "2 × 2 × 2");
    const reset = el("button", { type: "button", onclick: () => {
      state.view = { rotation: Crystal.orientation(structure.cell), zoom: 1 };
      draw();
    } }, t("reset_view"));
    return el("div", { class: "controls" }, turning, supercell, reset);
  }

  const legend = (structure) => el("div", { class: "legend" }, [...new Set(structure.symbols)].map((symbol) =>
    el("span", {}, el("span", { class: "ball", style: `background:${Elements.colour(symbol)}` }), symbol)));

  return { thumbnail, interactive };
})();
