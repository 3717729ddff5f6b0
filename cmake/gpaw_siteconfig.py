# Read by GPAW's own build: serial (one worker process per core), system libxc, OpenBLAS and FFTW.
mpi = False
fftw = True
compiler = 'g++'
libraries = ['xc', 'openblas', 'fftw3']
