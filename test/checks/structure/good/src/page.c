/* Calls words.c, which calls nobody. */
int words(void);
int page(void);

int page(void)
{
	return words();
}
