"""What a right warehouse must say about a sample, from the world itself and never from its files.

`revenue` and `engagement` are made for every product; the other domains are asked for by the product
that has them. A domain's folder holds what is noted while things happen and the tables made of it.
"""
