/* Client certificates made on the spot, so that no private key lies in the repository. */
#ifndef TEST_PEM_RIG_H
#define TEST_PEM_RIG_H

/* A new key (P-256) and a certificate of it that it signed itself; PEM texts, heap, caller owns. */
void pem_pair(const char *common_name, char **cert, char **key);

#endif
