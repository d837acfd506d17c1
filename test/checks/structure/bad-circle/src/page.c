/* Calls words.c, which reads a variable of line.c, which calls this file. */
int words(void);
int page(void);

int page(void)
{
	return words();
}
