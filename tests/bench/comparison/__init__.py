"""Parts of compare.py, which times Tamiz beside other programs."""
