"""ASE calculator that workers of the tests make: the Stillinger-Weber potential of silicon."""


def make():
    import tamiz

    return tamiz.ase.Calculator(tamiz.load(tamiz.data_directory() / "potentials" / "stillinger-weber-si.toml"))
