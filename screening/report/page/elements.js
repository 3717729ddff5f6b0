// Radii and colours of the elements for the pictures.
const Elements = (() => {
  const symbols = ("H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr " +
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W " +
    "Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm").split(" ");
  // Covalent radii in pm: Cordero et al. 2008, doi:10.1039/b801115j (low spin where there are two).
  const radii_pm = [31, 28, 128, 96, 84, 76, 71, 66, 57, 58, 166, 141, 121, 111, 107, 105, 102, 106, 203, 176, 170, 160,
    153, 139, 139, 132, 126, 124, 132, 122, 122, 120, 119, 120, 120, 116, 220, 195, 190, 175, 164, 154, 147, 146, 142,
    139, 145, 144, 142, 139, 139, 138, 139, 140, 244, 215, 207, 204, 203, 201, 199, 198, 198, 196, 194, 192, 192, 189,
    190, 187, 187, 175, 170, 162, 151, 144, 141, 136, 136, 132, 145, 146, 148, 140, 150, 150, 260, 221, 215, 206, 200,
    196, 190, 187, 180, 169];
  const nonmetals = new Set(("H He B C N O F Ne Si P S Cl Ar Ge As Se Br Kr Sb Te I Xe At Rn").split(" "));
  // Chosen to be told apart in one picture; an element without an entry gets a hue from its number.
  const colours = {
    H: "#e8e8e8", Li: "#b48ad1", Be: "#9cc24b", B: "#e8a79a", C: "#5c6166", N: "#3d6fd6", O: "#d8433b", F: "#7fcf6a",
    Na: "#9d6fd0", Mg: "#79b84a", Al: "#a9adb5", Si: "#d9b36c", P: "#e58a2e", S: "#e3c934", Cl: "#4fbf5b", K: "#8a57c2",
    Ca: "#8fb6c9", Sc: "#c3c7cc", Ti: "#9aa3ad", Cu: "#c57b4a", Zn: "#8a86c4", Ga: "#c58f8f", Ge: "#6fa39a",
    As: "#b98ae0", Se: "#e2a02f", Br: "#a5483c", Sr: "#5fae8e", Y: "#87cfd1", Zr: "#8fc1c4", Ag: "#b9bdc2",
    Cd: "#d9c48a", In: "#a8807c", Sn: "#6b8691", Sb: "#a06cb5", Te: "#cf7d22", I: "#8b3fa0", Ba: "#3f9a63",
  };
  const index = new Map(symbols.map((symbol, i) => [symbol, i]));

  const radius = (symbol) => (radii_pm[index.get(symbol)] ?? 150) / 100;
  const colour = (symbol) => colours[symbol] || `hsl(${((index.get(symbol) ?? 0) * 47) % 360} 38% 58%)`;
  const is_metal = (symbol) => !nonmetals.has(symbol);
  return { radius, colour, is_metal };
})();
