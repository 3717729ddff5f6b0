// What a picture of a crystal shows: atoms in the cell and on its faces, bonds between them, edges of the cell.
const Crystal = (() => {
  const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
  const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const length = (a) => Math.sqrt(dot(a, a));
  const combine = (cell, f) => [0, 1, 2].map((k) => f[0] * cell[0][k] + f[1] * cell[1][k] + f[2] * cell[2][k]);

  function fractional(cell, position) {
    const volume = dot(cell[0], cross(cell[1], cell[2]));
    return [0, 1, 2].map((k) => dot(position, cross(cell[(k + 1) % 3], cell[(k + 2) % 3])) / volume);
  }

  const is_vector = (v) => Array.isArray(v) && v.length === 3 && v.every(Data.finite);
  function is_drawable(s) {
    return Boolean(s) && Array.isArray(s.cell) && s.cell.length === 3 && s.cell.every(is_vector) &&
      Array.isArray(s.positions) && Array.isArray(s.symbols) && s.symbols.length > 0 &&
      s.positions.length === s.symbols.length && s.positions.every(is_vector) &&
      Math.abs(dot(s.cell[0], cross(s.cell[1], s.cell[2]))) > 1e-6;
  }

  // All periodic images with fractional coordinates in [0, n], faces included.
  function atoms_in(structure, repeats) {
    const tolerance = 0.02;
    const atoms = [];
    structure.symbols.forEach((symbol, i) => {
      const f = fractional(structure.cell, structure.positions[i]).map((x) => {
        const wrapped = x - Math.floor(x);
        return wrapped > 1 - tolerance ? wrapped - 1 : wrapped;
      });
      for (let a = 0; a <= repeats; ++a) for (let b = 0; b <= repeats; ++b) for (let c = 0; c <= repeats; ++c) {
        const shifted = [f[0] + a, f[1] + b, f[2] + c];
        if (shifted.some((x) => x > repeats + tolerance)) continue;
        atoms.push({ symbol, position: combine(structure.cell, shifted) });
      }
    });
    return atoms;
  }

  // Pairs closer than 1.15 times the sum of covalent radii. Metal-metal pairs count only in compounds without
  // a nonmetal: in a nitride such lines would hide the coordination polyhedra.
  function bonds_between(atoms) {
    const metallic = atoms.every((atom) => Elements.is_metal(atom.symbol));
    const bonds = [];
    for (let i = 0; i < atoms.length; ++i) {
      for (let j = i + 1; j < atoms.length; ++j) {
        if (!metallic && Elements.is_metal(atoms[i].symbol) && Elements.is_metal(atoms[j].symbol)) continue;
        const distance = length(subtract(atoms[i].position, atoms[j].position));
        const limit = 1.15 * (Elements.radius(atoms[i].symbol) + Elements.radius(atoms[j].symbol));
        if (distance > 0.4 && distance < limit) bonds.push([i, j]);
      }
    }
    return bonds;
  }

  function edges_of(cell) {
    const corner = (a, b, c) => combine(cell, [a, b, c]);
    const edges = [];
    for (const [p, q] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      edges.push({ from: corner(0, p, q), to: corner(1, p, q), axis: p + q === 0 ? "a" : "" });
      edges.push({ from: corner(p, 0, q), to: corner(p, 1, q), axis: p + q === 0 ? "b" : "" });
      edges.push({ from: corner(p, q, 0), to: corner(p, q, 1), axis: p + q === 0 ? "c" : "" });
    }
    return edges;
  }

  // Everything about the centre of the picture, with the radius that holds it.
  function scene(structure, repeats) {
    const atoms = atoms_in(structure, repeats);
    const edges = edges_of(structure.cell);
    const centre = combine(structure.cell, [repeats / 2, repeats / 2, repeats / 2]);
    for (const atom of atoms) {
      atom.position = subtract(atom.position, centre);
      atom.radius = 0.24 + 0.26 * Elements.radius(atom.symbol);
    }
    for (const edge of edges) {
      edge.from = subtract(edge.from, centre);
      edge.to = subtract(edge.to, centre);
    }
    const reach = Math.max(...atoms.map((atom) => length(atom.position) + atom.radius),
                           ...edges.map((edge) => Math.max(length(edge.from), length(edge.to))));
    return { atoms, bonds: bonds_between(atoms), edges, reach };
  }

  // A first orientation that shows depth: c upwards, seen a little from above and from the side.
  function orientation(cell) {
    const c = cell[2].map((x) => x / length(cell[2]));
    let a = subtract(cell[0], c.map((x) => x * dot(cell[0], c)));
    a = a.map((x) => x / (length(a) || 1));
    const frame = [a, c, cross(a, c)];
    return multiply(turn_x(0.24), multiply(turn_y(-0.42), frame));
  }

  const turn_y = (angle) => [[Math.cos(angle), 0, Math.sin(angle)], [0, 1, 0], [-Math.sin(angle), 0, Math.cos(angle)]];
  const turn_x = (angle) => [[1, 0, 0], [0, Math.cos(angle), -Math.sin(angle)], [0, Math.sin(angle), Math.cos(angle)]];
  const multiply = (m, n) => m.map((row) => [0, 1, 2].map((k) => row[0] * n[0][k] + row[1] * n[1][k] + row[2] * n[2][k]));
  const apply = (m, v) => [dot(m[0], v), dot(m[1], v), dot(m[2], v)];

  return { is_drawable, scene, orientation, turn_x, turn_y, multiply, apply, length, subtract };
})();
